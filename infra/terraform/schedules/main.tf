# The reports' schedules as resources of Terraform's own, for those who want to see each in the plan. The stack then makes
# none: its template is packaged with the reports' template of an empty folder (../README.md).
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

resource "aws_scheduler_schedule" "report" {
  for_each = local.schedules

  name                         = each.value.Name
  group_name                   = var.outputs["ScheduleGroupName"]
  description                  = try(each.value.Description, null)
  schedule_expression          = each.value.ScheduleExpression
  schedule_expression_timezone = each.value.ScheduleExpressionTimezone
  state                        = var.enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode                      = each.value.FlexibleTimeWindow.Mode
    maximum_window_in_minutes = try(each.value.FlexibleTimeWindow.MaximumWindowInMinutes, null)
  }

  target {
    arn      = var.outputs["StateMachineArn"]
    role_arn = var.outputs["SchedulerRoleArn"]
    input    = each.value.Input

    dead_letter_config {
      arn = var.outputs["DeadLetterQueueArn"]
    }

    retry_policy {
      maximum_event_age_in_seconds = each.value.Target.RetryPolicy.MaximumEventAgeInSeconds
      maximum_retry_attempts       = each.value.Target.RetryPolicy.MaximumRetryAttempts
    }
  }
}

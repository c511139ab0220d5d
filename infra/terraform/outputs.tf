output "outputs" {
  description = "Every output of the stack by its name in the template."
  value       = aws_cloudformation_stack.reports.outputs
}

output "state_machine_arn" {
  description = "For cxr, as STATE_MACHINE_ARN."
  value       = aws_cloudformation_stack.reports.outputs["StateMachineArn"]
}

output "bucket" {
  description = "Where reports land."
  value       = aws_cloudformation_stack.reports.outputs["Bucket"]
}

output "key_arn" {
  description = "What tenants' secrets are best encrypted with."
  value       = aws_cloudformation_stack.reports.outputs["KeyArn"]
}

output "alert_topic_arn" {
  description = "Subscribe whoever has to act."
  value       = aws_cloudformation_stack.reports.outputs["AlertTopicArn"]
}

output "operator_policy_arn" {
  description = "Attach it to the operators' role."
  value       = aws_cloudformation_stack.reports.outputs["OperatorPolicyArn"]
}

output "maintainer_policy_arn" {
  description = "Attach it to the role of whoever looks after the tenants."
  value       = aws_cloudformation_stack.reports.outputs["MaintainerPolicyArn"]
}

output "consumer_policy_arn" {
  description = "Attach it to the roles that read what was delivered."
  value       = aws_cloudformation_stack.reports.outputs["ConsumerPolicyArn"]
}

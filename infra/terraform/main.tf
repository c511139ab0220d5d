# A deployment as one resource: the released template, which `aws cloudformation package` has uploaded (README.md).
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

resource "aws_cloudformation_stack" "reports" {
  name         = var.name
  template_url = var.template_url
  parameters   = var.parameters
  capabilities = ["CAPABILITY_IAM"]
  iam_role_arn = var.iam_role_arn
  tags         = var.tags
}

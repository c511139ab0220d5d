output "outputs" {
  description = "Every output of the stack by its name in the template, such as StateMachineArn and OperatorPolicyArn."
  value       = aws_cloudformation_stack.reports.outputs
}

variable "name" {
  description = "The stack's name, and what the names of everything in it begin with."
  type        = string
  default     = "cxone-reports"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,24}$", var.name))
    error_message = "Up to 25 letters, digits and -, beginning with a letter, because a schedule's name has 64 at most."
  }
}

variable "template_url" {
  description = "Where the packaged template is, in a bucket of the stack's region. Each release needs an address of its own: Terraform does not look at what is behind it."
  type        = string

  validation {
    condition     = can(regex("^https://", var.template_url))
    error_message = "CloudFormation takes an https:// address, such as https://BUCKET.s3.REGION.amazonaws.com/RELEASE/packaged.yaml."
  }
}

variable "parameters" {
  description = "Parameters of the template by their names there, such as AlarmEmail and ReservedConcurrency. What is left out has the template's default."
  type        = map(string)
  default     = {}
}

variable "iam_role_arn" {
  description = "A role for CloudFormation to act as; without one it acts as whoever runs Terraform."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of the stack, which CloudFormation gives to what it makes."
  type        = map(string)
  default     = {}
}

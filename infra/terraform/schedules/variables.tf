variable "name" {
  description = "What the schedules' names begin with: the deployment's name."
  type        = string
}

variable "outputs" {
  description = "The output `outputs` of the module beside this one: every output of the stack."
  type        = map(string)
}

variable "reports" {
  description = "The file that cxr schedules made of your reports."
  type        = string
}

variable "enabled" {
  description = "Whether the schedules start anything."
  type        = bool
  default     = true
}

output "names" {
  description = "The names of the schedules."
  value       = [for it in aws_scheduler_schedule.report : it.name]
}

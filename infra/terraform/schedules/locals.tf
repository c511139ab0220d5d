locals {
  machine = split(":", var.outputs["StateMachineArn"])
  # The template's schedules as CloudFormation would make them. What is replaced last would stay as it stands there.
  schedules = { for id, resource in jsondecode(file(var.reports)).Resources : id => merge(resource.Properties, {
    Name = replace(resource.Properties.Name["Fn::Sub"], "$${Name}", var.name)
    Input = replace(replace(replace(resource.Properties.Target.Input["Fn::Sub"],
      "$${AWS::AccountId}", local.machine[4]),
      "$${AWS::Region}", local.machine[3]),
    "$${!", "$${")
  }) }
}

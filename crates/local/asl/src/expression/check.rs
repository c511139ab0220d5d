//! Refuses expressions that Step Functions refuses or that would give another result there.

use std::collections::BTreeSet;

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

use super::walk::child_nodes;
use super::{Allowed, Reads, functions};

/// Checks an expression and returns what it reads.
pub(super) fn check_expression(
    ast: &AstNode,
    allowed: Allowed,
    variables: &BTreeSet<String>,
) -> Result<Reads, Vec<String>> {
    let mut bound = BTreeSet::new();
    collect_bindings(ast, &mut bound);
    let mut check = Check {
        allowed,
        variables,
        bound,
        reads: Reads::default(),
        problems: Vec::new(),
        parents: false,
    };
    check.check_node(ast, Context::None);
    if check.parents {
        check.reads.read_everything();
    }
    if check.problems.is_empty() {
        Ok(check.reads)
    } else {
        Err(check.problems)
    }
}

/// Whether `$` and plain names have something to refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    None,
    Value,
}

struct Check<'a> {
    allowed: Allowed,
    variables: &'a BTreeSet<String>,
    /// The variables that the expression itself binds somewhere.
    bound: BTreeSet<String>,
    reads: Reads,
    problems: Vec<String>,
    /// Whether `%` is used, which reads the parents of a value on a path.
    parents: bool,
}

impl Check<'_> {
    fn check_node(&mut self, node: &AstNode, context: Context) {
        match node {
            AstNode::Path { steps } => return self.check_path(steps, context),
            AstNode::Variable(name) => self.check_variable(name, &[], context),
            AstNode::ParentVariable(_) if context == Context::None => self
                .problems
                .push("$$ has no meaning here; use $states.input or a variable".to_owned()),
            AstNode::Name(name) if context == Context::None => self.problems.push(format!(
                "the name {name} has no meaning here; use $states.input.{name} or a variable"
            )),
            AstNode::Parent(_) => self.parents = true,
            AstNode::Function {
                name,
                args,
                is_builtin,
            } => self.check_function(name, args, *is_builtin),
            AstNode::Binary {
                op: BinaryOp::Coalesce | BinaryOp::Default,
                ..
            } => {
                let message = "the operators ?? and ?: are not in JSONata 2.0, which runs on AWS";
                self.problems.push(message.to_owned());
            }
            _ => {}
        }
        self.check_children(node, context);
    }

    fn check_path(&mut self, steps: &[PathStep], context: Context) {
        let mut before = context;
        let mut rest = steps;
        if let Some((
            PathStep {
                node: AstNode::Variable(root),
                stages,
                ..
            },
            tail,
        )) = steps.split_first()
        {
            let fields = if stages.is_empty() {
                leading_names(tail)
            } else {
                Vec::new()
            };
            self.check_variable(root, &fields, context);
            self.check_stages(stages);
            (before, rest) = (Context::Value, tail);
        }
        for step in rest {
            self.check_node(&step.node, before);
            self.check_stages(&step.stages);
            before = Context::Value;
        }
    }

    fn check_stages(&mut self, stages: &[Stage]) {
        for stage in stages {
            if let Stage::Filter(filter) = stage {
                self.check_node(filter, Context::Value);
            }
        }
    }

    fn check_variable(&mut self, name: &str, fields: &[&str], context: Context) {
        if name == "states" {
            return self.check_states(fields);
        }
        if name.is_empty() {
            if context == Context::None {
                let message = "$ has no meaning here; use $states.input or a variable";
                self.problems.push(message.to_owned());
            }
            return;
        }
        let assigned = self.variables.contains(name);
        if assigned {
            self.reads.add_path(name, fields.iter().copied());
        }
        if assigned || self.bound.contains(name) {
            return;
        }
        if functions::find_provided(name).is_some() {
            self.problems.push(format!(
                "${name} can be called here, but not passed as a value"
            ));
        } else if !functions::is_builtin(name) {
            self.problems
                .push(format!("no state assigns the variable ${name}"));
        }
    }

    fn check_states(&mut self, fields: &[&str]) {
        self.reads.add_path("states", fields.iter().copied());
        let allowed = match fields.first() {
            None | Some(&("input" | "context")) => true,
            Some(&"result") => self.allowed.result,
            Some(&"errorOutput") => self.allowed.error_output,
            Some(other) => {
                self.problems.push(format!("there is no $states.{other}"));
                return;
            }
        };
        if !allowed {
            let field = fields.first().copied().unwrap_or_default();
            self.problems
                .push(format!("$states.{field} is not available in this field"));
        }
    }

    fn check_function(&mut self, name: &str, args: &[AstNode], is_builtin: bool) {
        if !is_builtin {
            self.problems.push(format!(
                "there is no function {name}; did you mean ${name}?"
            ));
        } else if self.bound.contains(name) {
            // A function of the expression's own.
        } else {
            self.problems
                .extend(functions::check_call(name, args).err());
            self.reads.functions.extend(functions::find_provided(name));
        }
    }

    fn check_children(&mut self, node: &AstNode, context: Context) {
        match node {
            AstNode::ObjectTransform { input, pattern } => {
                self.check_node(input, context);
                self.check_pairs(pattern, Context::Value);
            }
            AstNode::Sort { input, terms } => {
                self.check_node(input, context);
                for (term, _) in terms {
                    self.check_node(term, Context::Value);
                }
            }
            AstNode::Transform {
                location,
                update,
                delete,
            } => {
                let parts = [Some(location), Some(update), delete.as_ref()];
                for part in parts.into_iter().flatten() {
                    self.check_node(part, Context::Value);
                }
            }
            AstNode::Object(pairs) => self.check_pairs(pairs, context),
            AstNode::Path { .. } => {}
            other => {
                for child in child_nodes(other) {
                    self.check_node(child, context);
                }
            }
        }
    }

    fn check_pairs(&mut self, pairs: &[(AstNode, AstNode)], context: Context) {
        for (key, value) in pairs {
            self.check_node(key, context);
            self.check_node(value, context);
        }
    }
}

/// The names at the start of a path that select one field each. The list ends at a name with a
/// filter, because a filter may read all of the value.
fn leading_names(steps: &[PathStep]) -> Vec<&str> {
    let mut names = Vec::new();
    for step in steps {
        let AstNode::Name(name) = &step.node else {
            break;
        };
        names.push(name.as_str());
        if !step.stages.is_empty() || step.focus.is_some() || step.index_var.is_some() {
            break;
        }
    }
    names
}

/// The names of the variables that an expression binds, wherever in it.
fn collect_bindings(node: &AstNode, bound: &mut BTreeSet<String>) {
    match node {
        AstNode::Binary {
            op: BinaryOp::ColonEqual,
            lhs,
            ..
        } => {
            if let AstNode::Variable(name) = &**lhs {
                bound.insert(name.clone());
            }
        }
        AstNode::Lambda { params, .. } => bound.extend(params.iter().cloned()),
        AstNode::Path { steps } => {
            for step in steps {
                bound.extend(step.focus.iter().chain(&step.index_var).cloned());
                bound.extend(step.stages.iter().filter_map(|stage| match stage {
                    Stage::Index(name) => Some(name.clone()),
                    Stage::Filter(_) | Stage::KeepArray => None,
                }));
            }
        }
        _ => {}
    }
    for child in child_nodes(node) {
        collect_bindings(child, bound);
    }
}

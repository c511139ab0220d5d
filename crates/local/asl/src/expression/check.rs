//! What Step Functions refuses in an expression, and what this crate would not run as it does.

use std::collections::BTreeSet;

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

use super::walk::each_child;
use super::{Allowed, Reads, functions};

/// Checks an expression and says what it reads.
pub(super) fn check(
    ast: &AstNode,
    allowed: Allowed,
    variables: &BTreeSet<String>,
) -> Result<Reads, Vec<String>> {
    let mut bound = BTreeSet::new();
    bindings(ast, &mut bound);
    let mut check = Check {
        allowed,
        variables,
        bound,
        reads: Reads::default(),
        problems: Vec::new(),
        parents: false,
    };
    check.node(ast, Context::None);
    if check.parents {
        check.reads.widen();
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
    /// Whether `%` is used, which reads what a path has left behind.
    parents: bool,
}

impl Check<'_> {
    fn node(&mut self, node: &AstNode, context: Context) {
        match node {
            AstNode::Path { steps } => return self.path(steps, context),
            AstNode::Variable(name) => self.variable(name, &[], context),
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
            } => self.function(name, args, *is_builtin),
            AstNode::Binary {
                op: BinaryOp::Coalesce | BinaryOp::Default,
                ..
            } => {
                let message = "the operators ?? and ?: are not in JSONata 2.0, which runs on AWS";
                self.problems.push(message.to_owned());
            }
            _ => {}
        }
        self.children(node, context);
    }

    fn path(&mut self, steps: &[PathStep], context: Context) {
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
            self.variable(root, &fields, context);
            self.stages(stages);
            (before, rest) = (Context::Value, tail);
        }
        for step in rest {
            self.node(&step.node, before);
            self.stages(&step.stages);
            before = Context::Value;
        }
    }

    fn stages(&mut self, stages: &[Stage]) {
        for stage in stages {
            if let Stage::Filter(filter) = stage {
                self.node(filter, Context::Value);
            }
        }
    }

    fn variable(&mut self, name: &str, fields: &[&str], context: Context) {
        if name == "states" {
            return self.states(fields);
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
        if functions::provided(name).is_some() {
            self.problems.push(format!(
                "${name} can be called here, but not passed as a value"
            ));
        } else if !functions::is_builtin(name) {
            self.problems
                .push(format!("no state assigns the variable ${name}"));
        }
    }

    fn states(&mut self, fields: &[&str]) {
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
                .push(format!("$states.{field} is not to be had in this field"));
        }
    }

    fn function(&mut self, name: &str, args: &[AstNode], is_builtin: bool) {
        if !is_builtin {
            self.problems.push(format!(
                "there is no function {name}; did you mean ${name}?"
            ));
        } else if self.bound.contains(name) {
            // A function of the expression's own.
        } else if let Some(name) = functions::provided(name) {
            self.reads.functions.insert(name);
            if name == "hash" && !functions::is_hash(args) {
                let message = "$hash is implemented with 'SHA-256', 'SHA-384' or 'SHA-512' only";
                self.problems.push(message.to_owned());
            }
        } else if name == "eval" {
            self.problems
                .push("$eval is not to be had; use $parse for JSON".to_owned());
        } else if !functions::is_builtin(name) {
            self.problems
                .push(format!("the function ${name} is not implemented"));
        }
    }

    fn children(&mut self, node: &AstNode, context: Context) {
        match node {
            AstNode::ObjectTransform { input, pattern } => {
                self.node(input, context);
                self.pairs(pattern, Context::Value);
            }
            AstNode::Sort { input, terms } => {
                self.node(input, context);
                for (term, _) in terms {
                    self.node(term, Context::Value);
                }
            }
            AstNode::Transform {
                location,
                update,
                delete,
            } => {
                let parts = [Some(location), Some(update), delete.as_ref()];
                for part in parts.into_iter().flatten() {
                    self.node(part, Context::Value);
                }
            }
            AstNode::Object(pairs) => self.pairs(pairs, context),
            AstNode::Path { .. } => {}
            other => each_child(other, &mut |child| self.node(child, context)),
        }
    }

    fn pairs(&mut self, pairs: &[(AstNode, AstNode)], context: Context) {
        for (key, value) in pairs {
            self.node(key, context);
            self.node(value, context);
        }
    }
}

/// The names at the start of a path that lead through the value and nothing else: what stands
/// behind a name with a filter may look at all of it.
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
fn bindings(node: &AstNode, bound: &mut BTreeSet<String>) {
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
    each_child(node, &mut |child| bindings(child, bound));
}

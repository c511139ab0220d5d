//! JSONata in a definition: parsed once, checked, evaluated in a state's scope.

mod check;
mod convert;
mod functions;
mod reads;
mod session;
mod template;
mod walk;

use std::collections::BTreeSet;

use jsonata_core::ast::{AstNode, PathStep};

pub(crate) use reads::Reads;
pub(crate) use session::{EvalError, Scope, Session};
pub(crate) use template::Template;

/// What an expression may read besides `$states.input`, `$states.context` and variables.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowed {
    result: bool,
    error_output: bool,
}

impl Allowed {
    /// `$states.result`: in `Output` and `Assign` of a task.
    pub(crate) const RESULT: Self = Self {
        result: true,
        error_output: false,
    };
    /// `$states.errorOutput`: in `Output` and `Assign` of a catcher.
    pub(crate) const ERROR_OUTPUT: Self = Self {
        result: false,
        error_output: true,
    };
}

/// One `{% … %}`.
#[derive(Debug)]
pub(crate) struct Expression {
    /// The text between the delimiters.
    source: String,
    /// Its place in the state, for messages: `Arguments/Payload`.
    location: String,
    body: Body,
    reads: Reads,
}

/// How an expression is evaluated.
#[derive(Debug)]
enum Body {
    /// `$name.a.b`, which is looked up without an evaluator while it leads through objects only.
    Path {
        root: String,
        steps: Vec<String>,
        ast: AstNode,
    },
    Any(AstNode),
}

impl Expression {
    /// Parses the text between the delimiters, or returns everything that is wrong with it.
    fn parse(
        source: &str,
        location: &str,
        allowed: Allowed,
        variables: &BTreeSet<String>,
    ) -> Result<Self, Vec<String>> {
        let ast = jsonata_core::parser::parse(source.trim())
            .map_err(|error| vec![format!("not JSONata: {}", error.display_message())])?;
        let reads = check::check_expression(&ast, allowed, variables)?;
        let body = match plain_path(&ast) {
            Some((root, steps)) => Body::Path { root, steps, ast },
            None => Body::Any(ast),
        };
        let (source, location) = (source.trim().to_owned(), location.to_owned());
        Ok(Self {
            source,
            location,
            body,
            reads,
        })
    }
}

/// The root variable and the fields of `$name.a.b`.
fn plain_path(ast: &AstNode) -> Option<(String, Vec<String>)> {
    let plain = |step: &PathStep| {
        step.stages.is_empty()
            && step.focus.is_none()
            && step.index_var.is_none()
            && step.ancestor_label.is_none()
    };
    match ast {
        AstNode::Variable(root) if !root.is_empty() => Some((root.clone(), Vec::new())),
        AstNode::Path { steps } if steps.iter().all(plain) => {
            let (first, rest) = steps.split_first()?;
            let AstNode::Variable(root) = &first.node else {
                return None;
            };
            let fields = rest.iter().map(|step| match &step.node {
                AstNode::Name(name) => Some(name.clone()),
                _ => None,
            });
            Some((root.clone(), fields.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

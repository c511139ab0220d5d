//! From a node of an expression to the nodes right below it.

use jsonata_core::ast::{AstNode, PathStep, Stage};

/// Calls `f` with each node right below `node`.
pub(super) fn each_child(node: &AstNode, f: &mut impl FnMut(&AstNode)) {
    match node {
        AstNode::Path { steps } => {
            for step in steps {
                f(&step.node);
                for stage in &step.stages {
                    if let Stage::Filter(filter) = stage {
                        f(filter);
                    }
                }
            }
        }
        AstNode::Binary { lhs, rhs, .. } => {
            f(lhs);
            f(rhs);
        }
        AstNode::Unary { operand: inner, .. }
        | AstNode::FunctionApplication(inner)
        | AstNode::Lambda { body: inner, .. } => f(inner),
        AstNode::Function { args: nodes, .. }
        | AstNode::Array(nodes)
        | AstNode::ArrayGroup(nodes)
        | AstNode::Block(nodes) => nodes.iter().for_each(f),
        AstNode::Call { procedure, args } => {
            f(procedure);
            args.iter().for_each(f);
        }
        AstNode::Object(pairs) => pairs_of(pairs, f),
        AstNode::ObjectTransform { input, pattern } => {
            f(input);
            pairs_of(pattern, f);
        }
        AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } => {
            f(condition);
            f(then_branch);
            if let Some(branch) = else_branch {
                f(branch);
            }
        }
        AstNode::Sort { input, terms } => {
            f(input);
            for (term, _) in terms {
                f(term);
            }
        }
        AstNode::Transform {
            location,
            update,
            delete,
        } => {
            f(location);
            f(update);
            if let Some(delete) = delete {
                f(delete);
            }
        }
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
    }
}

fn pairs_of(pairs: &[(AstNode, AstNode)], f: &mut impl FnMut(&AstNode)) {
    for (key, value) in pairs {
        f(key);
        f(value);
    }
}

/// The same, with nodes that may be changed.
pub(super) fn each_child_mut(node: &mut AstNode, f: &mut impl FnMut(&mut AstNode)) {
    match node {
        AstNode::Path { steps } => steps.iter_mut().for_each(|step| each_in_step(step, f)),
        AstNode::Binary { lhs, rhs, .. } => {
            f(lhs);
            f(rhs);
        }
        AstNode::Unary { operand: inner, .. }
        | AstNode::FunctionApplication(inner)
        | AstNode::Lambda { body: inner, .. } => f(inner),
        AstNode::Function { args: nodes, .. }
        | AstNode::Array(nodes)
        | AstNode::ArrayGroup(nodes)
        | AstNode::Block(nodes) => nodes.iter_mut().for_each(f),
        AstNode::Call { procedure, args } => {
            f(procedure);
            args.iter_mut().for_each(f);
        }
        AstNode::Object(pairs) => each_in_pairs(pairs, f),
        AstNode::ObjectTransform { input, pattern } => {
            f(input);
            each_in_pairs(pattern, f);
        }
        AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } => {
            f(condition);
            f(then_branch);
            if let Some(branch) = else_branch {
                f(branch);
            }
        }
        AstNode::Sort { input, terms } => {
            f(input);
            for (term, _) in terms {
                f(term);
            }
        }
        AstNode::Transform {
            location,
            update,
            delete,
        } => {
            f(location);
            f(update);
            if let Some(delete) = delete {
                f(delete);
            }
        }
        _ => {}
    }
}

fn each_in_step(step: &mut PathStep, f: &mut impl FnMut(&mut AstNode)) {
    f(&mut step.node);
    for stage in &mut step.stages {
        if let Stage::Filter(filter) = stage {
            f(filter);
        }
    }
}

fn each_in_pairs(pairs: &mut [(AstNode, AstNode)], f: &mut impl FnMut(&mut AstNode)) {
    for (key, value) in pairs {
        f(key);
        f(value);
    }
}

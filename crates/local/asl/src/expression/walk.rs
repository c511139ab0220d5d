//! From a node of an expression to the nodes right below it.

use jsonata_core::ast::{AstNode, PathStep, Stage};

/// The nodes right below `node`. Each kind of node is named, so that one that a new version of
/// the parser adds is not passed over unchecked.
pub(super) fn child_nodes(node: &AstNode) -> Vec<&AstNode> {
    match node {
        AstNode::Path { steps } => steps.iter().flat_map(nodes_of_step).collect(),
        AstNode::Binary { lhs, rhs, .. } => vec![lhs, rhs],
        AstNode::Unary { operand: inner, .. }
        | AstNode::FunctionApplication(inner)
        | AstNode::Lambda { body: inner, .. } => vec![inner],
        AstNode::Function { args: nodes, .. }
        | AstNode::Array(nodes)
        | AstNode::ArrayGroup(nodes)
        | AstNode::Block(nodes) => nodes.iter().collect(),
        AstNode::Call { procedure, args } => first_and(procedure, args),
        AstNode::Object(pairs) => nodes_of_pairs(pairs).collect(),
        AstNode::ObjectTransform { input, pattern } => first_and(input, nodes_of_pairs(pattern)),
        AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } => first_and(
            condition,
            [then_branch].into_iter().chain(else_branch).map(|b| &**b),
        ),
        AstNode::Sort { input, terms } => first_and(input, terms.iter().map(|(term, _)| term)),
        AstNode::Transform {
            location,
            update,
            delete,
        } => first_and(location, [update].into_iter().chain(delete).map(|n| &**n)),
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
        | AstNode::Parent(_) => Vec::new(),
    }
}

fn first_and<'a>(
    first: &'a AstNode,
    others: impl IntoIterator<Item = &'a AstNode>,
) -> Vec<&'a AstNode> {
    [first].into_iter().chain(others).collect()
}

fn nodes_of_step(step: &PathStep) -> impl Iterator<Item = &AstNode> {
    let filters = step.stages.iter().filter_map(|stage| match stage {
        Stage::Filter(filter) => Some(&**filter),
        Stage::Index(_) | Stage::KeepArray => None,
    });
    [&step.node].into_iter().chain(filters)
}

fn nodes_of_pairs(pairs: &[(AstNode, AstNode)]) -> impl Iterator<Item = &AstNode> {
    pairs.iter().flat_map(|(key, value)| [key, value])
}

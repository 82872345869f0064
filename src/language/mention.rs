//! What a text in Fluent mentions: variables, other texts, terms, functions.

use fluent_syntax::ast::{CallArguments, Expression, InlineExpression, Pattern, PatternElement};

/// One thing that a text mentions. The names are slices of the file, so that their place in it
/// can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mention<'s> {
    /// `{ $count }`
    Variable(&'s str),
    /// `{ petition-people }`
    Message(&'s str),
    /// `{ -brand }`, without the hyphen.
    Term(&'s str),
    /// `{ NUMBER(…) }`
    Function(&'s str),
}

/// Everything that a text mentions, in every branch of it, in the order of writing.
pub(super) fn mentions<'s>(pattern: &Pattern<&'s str>) -> Vec<Mention<'s>> {
    let mut found = Vec::new();
    in_pattern(pattern, &mut found);
    found
}

fn in_pattern<'s>(pattern: &Pattern<&'s str>, found: &mut Vec<Mention<'s>>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            in_expression(expression, found);
        }
    }
}

fn in_expression<'s>(expression: &Expression<&'s str>, found: &mut Vec<Mention<'s>>) {
    match expression {
        Expression::Inline(inline) => in_inline(inline, found),
        Expression::Select { selector, variants } => {
            in_inline(selector, found);
            for variant in variants {
                in_pattern(&variant.value, found);
            }
        }
    }
}

fn in_inline<'s>(inline: &InlineExpression<&'s str>, found: &mut Vec<Mention<'s>>) {
    match inline {
        InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
        InlineExpression::VariableReference { id } => found.push(Mention::Variable(id.name)),
        InlineExpression::MessageReference { id, .. } => found.push(Mention::Message(id.name)),
        InlineExpression::TermReference { id, arguments, .. } => {
            found.push(Mention::Term(id.name));
            if let Some(arguments) = arguments {
                in_arguments(arguments, found);
            }
        }
        InlineExpression::FunctionReference { id, arguments } => {
            found.push(Mention::Function(id.name));
            in_arguments(arguments, found);
        }
        InlineExpression::Placeable { expression } => in_expression(expression, found),
    }
}

fn in_arguments<'s>(arguments: &CallArguments<&'s str>, found: &mut Vec<Mention<'s>>) {
    for argument in arguments.positional.iter().chain(arguments.named.iter().map(|named| &named.value)) {
        in_inline(argument, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Mention::{Function, Message, Term, Variable};
    use fluent_bundle::FluentResource;
    use fluent_syntax::ast::Entry;

    #[test]
    fn every_branch_of_a_text_is_looked_into() {
        let text = "a = { $n ->\n    [one] { b } { -c(x: 1) }\n   *[other] { F($d) } { { $e } }\n  }\n".to_owned();
        let resource = FluentResource::try_new(text).unwrap();
        let Some(Entry::Message(message)) = resource.get_entry(0) else { panic!("not a message") };
        let found = mentions(message.value.as_ref().unwrap());
        assert_eq!(found, [Variable("n"), Message("b"), Term("c"), Function("F"), Variable("d"), Variable("e")]);
    }
}

//! The names that a CommonJS file exports: those that its text assigns to `exports` and
//! `module.exports`, in the usual forms of programmers and compilers.

use std::collections::HashMap;

use oxc_ast::ast::{
    Argument, AssignmentExpression, AssignmentTarget, BindingPatternKind, CallExpression, Expression, ObjectExpression, ObjectPropertyKind,
    Program, PropertyKey, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};

/// `(names, re-exported modules)`, both without duplicates and in the order of the text.
pub(crate) fn find(program: &Program<'_>) -> (Vec<String>, Vec<String>) {
    let mut names = Names::default();
    names.visit_program(program);
    (names.names, names.from)
}

#[derive(Default)]
struct Names {
    names: Vec<String>,
    from: Vec<String>,
    /// Variables that hold the result of a `require`.
    required: HashMap<String, String>,
}

fn is_name(expression: &Expression<'_>, name: &str) -> bool {
    matches!(expression, Expression::Identifier(id) if id.name == name)
}

/// Whether the expression is `exports` or `module.exports`.
fn is_exports(expression: &Expression<'_>) -> bool {
    match expression {
        Expression::Identifier(id) => id.name == "exports",
        Expression::StaticMemberExpression(member) => member.property.name == "exports" && is_name(&member.object, "module"),
        Expression::ParenthesizedExpression(inner) => is_exports(&inner.expression),
        _ => false,
    }
}

/// The name in `require('name')`, in a compiler's helper function too.
fn required(expression: &Expression<'_>) -> Option<String> {
    match expression {
        Expression::CallExpression(call) => match call.arguments.first() {
            Some(Argument::StringLiteral(text)) if is_name(&call.callee, "require") => Some(text.value.to_string()),
            Some(argument) if !is_name(&call.callee, "require") => argument.as_expression().and_then(required),
            _ => None,
        },
        Expression::ParenthesizedExpression(inner) => required(&inner.expression),
        _ => None,
    }
}

impl Names {
    fn add(&mut self, name: &str) {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }

    fn pass_on(&mut self, name: String) {
        if !self.from.contains(&name) {
            self.from.push(name);
        }
    }

    fn object(&mut self, object: &ObjectExpression<'_>) {
        for property in &object.properties {
            match property {
                ObjectPropertyKind::ObjectProperty(property) => match &property.key {
                    PropertyKey::StaticIdentifier(id) if !property.computed => self.add(&id.name),
                    PropertyKey::StringLiteral(text) => self.add(&text.value),
                    _ => {}
                },
                ObjectPropertyKind::SpreadProperty(spread) => {
                    if let Some(name) = required(&spread.argument) {
                        self.pass_on(name);
                    }
                }
            }
        }
    }
}

impl<'a> Visit<'a> for Names {
    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if let (BindingPatternKind::BindingIdentifier(id), Some(name)) = (&it.id.kind, it.init.as_ref().and_then(required)) {
            self.required.insert(id.name.to_string(), name);
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        match &it.left {
            AssignmentTarget::StaticMemberExpression(member) if is_exports(&member.object) => self.add(&member.property.name),
            AssignmentTarget::ComputedMemberExpression(member) if is_exports(&member.object) => {
                if let Expression::StringLiteral(text) = &member.expression {
                    self.add(&text.value);
                }
            }
            AssignmentTarget::StaticMemberExpression(member) if member.property.name == "exports" && is_name(&member.object, "module") => {
                match &it.right {
                    Expression::ObjectExpression(object) => self.object(object),
                    right => {
                        if let Some(name) = required(right) {
                            self.pass_on(name);
                        }
                    }
                }
            }
            _ => {}
        }
        walk::walk_assignment_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        let argument = |at: usize| it.arguments.get(at).and_then(Argument::as_expression);
        let method = match &it.callee {
            Expression::StaticMemberExpression(member) => Some((&member.object, member.property.name.as_str())),
            _ => None,
        };
        match method {
            Some((object, "defineProperty")) if is_name(object, "Object") => {
                if let (Some(target), Some(Expression::StringLiteral(name))) = (argument(0), argument(1))
                    && is_exports(target)
                {
                    self.add(&name.value);
                }
            }
            // Object.keys(_x).forEach(…): Babel's form of `export * from`.
            Some((Expression::CallExpression(inner), "forEach")) => {
                if let Expression::StaticMemberExpression(keys) = &inner.callee
                    && keys.property.name == "keys"
                    && is_name(&keys.object, "Object")
                    && let Some(Expression::Identifier(id)) = inner.arguments.first().and_then(Argument::as_expression)
                    && let Some(name) = self.required.get(id.name.as_str())
                {
                    self.pass_on(name.clone());
                }
            }
            _ => {}
        }
        let helper = match &it.callee {
            Expression::Identifier(id) => id.name.as_str(),
            _ => method.map_or("", |(_, name)| name),
        };
        if matches!(helper, "__exportStar" | "__export" | "__reExport")
            && let Some(name) = it.arguments.iter().filter_map(Argument::as_expression).find_map(required)
        {
            self.pass_on(name);
        }
        walk::walk_call_expression(self, it);
    }
}

//! Plans: sales offers that grant nothing by themselves.

use super::model_sales::Plan;
use super::reply::{Answer, Reply};
use super::req::{Input, Req, id};
use super::state::State;
use super::views_sales;

pub(super) fn list(state: &State) -> Reply {
    let mut rows: Vec<_> = state.plans.values().collect();
    rows.sort_by_key(|plan| (plan.sort_order, plan.id));
    Reply::ok(rows.into_iter().map(views_sales::plan).collect())
}

/// What users see: only offers on sale.
pub(super) fn offers(state: &State) -> Reply {
    let rows = state.plans.values().filter(|plan| plan.for_sale);
    Reply::ok(rows.map(views_sales::plan).collect())
}

pub(super) fn create(state: &mut State, req: &Req) -> Answer {
    let input = req.input()?;
    let now = state.now();
    let mut plan = Plan {
        id: 0,
        group_id: 0,
        name: String::new(),
        description: String::new(),
        price: 0.0,
        original_price: None,
        validity_days: 0,
        validity_unit: String::new(),
        features: String::new(),
        product_name: String::new(),
        for_sale: false,
        sort_order: 0,
        created_at: now,
        updated_at: now,
        open_orders: false,
    };
    fill(&input, &mut plan)?;
    let at = state.add_plan(plan);
    let row = state.plans.get(&at).ok_or_else(Reply::internal)?;
    Ok(Reply::created(views_sales::plan(row)))
}

pub(super) fn update(state: &mut State, req: &Req, text: &str) -> Answer {
    let at = id(text, "plan")?;
    let input = req.input()?;
    let mut plan = state.plans.get(&at).ok_or_else(Reply::internal)?.clone();
    fill(&input, &mut plan)?;
    plan.updated_at = state.now();
    let view = views_sales::plan(&plan);
    state.plans.insert(at, plan);
    Ok(Reply::ok(view))
}

pub(super) fn delete(state: &mut State, text: &str) -> Answer {
    let at = id(text, "plan")?;
    // A missing plan is a plain ORM error, not a 404.
    let plan = state.plans.get(&at).ok_or_else(Reply::internal)?;
    if plan.open_orders {
        let text = "plan has pending orders";
        return Err(Reply::fail(409, "PENDING_ORDERS", text));
    }
    state.plans.remove(&at);
    Ok(Reply::message("deleted"))
}

fn fill(input: &Input, plan: &mut Plan) -> Result<(), Reply> {
    plan.group_id = input.int("group_id")?.unwrap_or(plan.group_id);
    plan.price = input.float("price")?.unwrap_or(plan.price);
    plan.original_price = input.float("original_price")?.or(plan.original_price);
    plan.validity_days = input.int("validity_days")?.unwrap_or(plan.validity_days);
    plan.sort_order = input.int("sort_order")?.unwrap_or(plan.sort_order);
    plan.for_sale = input.flag("for_sale")?.unwrap_or(plan.for_sale);
    for (slot, name) in [
        (&mut plan.name, "name"),
        (&mut plan.description, "description"),
        (&mut plan.validity_unit, "validity_unit"),
        (&mut plan.features, "features"),
        (&mut plan.product_name, "product_name"),
    ] {
        if let Some(text) = input.text(name)? {
            *slot = text;
        }
    }
    let rules = [
        (
            plan.name.trim().is_empty(),
            "PLAN_NAME_REQUIRED",
            "plan name is required",
        ),
        (
            plan.group_id <= 0,
            "PLAN_GROUP_REQUIRED",
            "group is required",
        ),
        (plan.price <= 0.0, "PLAN_PRICE_INVALID", "price must be > 0"),
        (
            plan.validity_days <= 0,
            "PLAN_VALIDITY_REQUIRED",
            "validity days must be > 0",
        ),
        (
            plan.validity_unit.is_empty(),
            "PLAN_VALIDITY_UNIT_REQUIRED",
            "validity unit is required",
        ),
        (
            plan.original_price.is_some_and(|price| price < 0.0),
            "PLAN_ORIGINAL_PRICE_INVALID",
            "original price must be >= 0",
        ),
    ];
    match rules.iter().find(|(broken, ..)| *broken) {
        Some((_, reason, text)) => Err(Reply::fail(400, reason, text)),
        None => Ok(()),
    }
}

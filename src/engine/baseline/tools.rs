//! Looks that read what a well-known tool prints: nginx, docker, the sockets of the system.

use super::machines::{machine_of, printed, system, unreadable};
use super::run::Shared;
use super::trouble::could_not_look;
use cockpit_domain::baseline::{
    Judgement, judge_containers, judge_listening, judge_nginx, judge_services, judge_stacks,
    read_containers, read_services, server_text, service_list,
};
use cockpit_domain::pack::{
    Check, ContainersLook, ListeningLook, NginxLook, ServiceLook, StacksLook,
};
use cockpit_domain::stack::{Stack, StackState};

/// Services under a service manager.
pub(super) async fn service(shared: &Shared, check: &Check, look: &ServiceLook) -> Seen {
    let argv = service_list(look);
    let text = printed(shared, check, &argv).await?;
    let seen = read_services(look.manager, &text)
        .map_err(|reason| unreadable(&argv.join(" "), &reason, &text))?;
    Ok(judge_services(look, &seen))
}

/// What a look came to, or why it could not be taken: both are rows.
pub(super) type Seen = Result<Judgement, Judgement>;

/// The effective nginx configuration.
pub(super) async fn nginx(shared: &Shared, check: &Check, look: &NginxLook) -> Seen {
    let text = match &look.file {
        Some(path) => printed(shared, check, ["cat", "--", path]).await?,
        None => printed(shared, check, ["nginx", "-T"]).await?,
    };
    let judgement = judge_nginx(look, &text);
    Ok(shared.finding(check, judgement, |_| server_text(look, &text)))
}

/// Running containers.
pub(super) async fn containers(shared: &Shared, check: &Check, look: &ContainersLook) -> Seen {
    let text = printed(shared, check, ["docker", "ps", "--format", "{{json .}}"]).await?;
    let seen = read_containers(&text).map_err(|reason| unreadable("docker ps", &reason, &text))?;
    let now = shared.context.clock.now_ms();
    let mut look = look.clone();
    // A registered stack that is not over stands there with leave; what is banned stays banned.
    if let (false, Ok(stacks)) = (look.alike.is_empty(), &shared.context.stacks) {
        let mut with_leave = Vec::new();
        for stack in on_machine(check, stacks)? {
            if stack.state(now) != StackState::Overdue {
                with_leave.push(&stack.container);
                with_leave.extend(stack.database_containers());
            }
        }
        look.leave = with_leave.into_iter().cloned().collect();
    }
    let judgement = judge_containers(&look, &seen);
    Ok(shared.finding(check, judgement, |fact| {
        let name = fact.strip_prefix("image.")?;
        let found = seen.iter().find(|container| container.name == name)?;
        Some(found.image.clone())
    }))
}

/// Temporary stacks of the machine that is looked at.
pub(super) async fn stacks(shared: &Shared, check: &Check, look: &StacksLook) -> Seen {
    let known = shared.context.stacks.as_ref();
    let known = known.map_err(|failure| {
        could_not_look(failure, "`cockpit stack list` reads the same register.")
    })?;
    let here = on_machine(check, known)?;
    let dump = if look.unrouted && !here.is_empty() {
        Some(printed(shared, check, ["nginx", "-T"]).await?)
    } else {
        None
    };
    let now = shared.context.clock.now_ms();
    Ok(judge_stacks(look, &here, dump.as_deref(), now))
}

fn on_machine<'s>(check: &Check, stacks: &'s [Stack]) -> Result<Vec<&'s Stack>, Judgement> {
    let machine = machine_of(check)?;
    Ok(stacks
        .iter()
        .filter(|stack| stack.machine == *machine)
        .collect())
}

/// Listening ports.
pub(super) async fn listening(shared: &Shared, check: &Check, look: &ListeningLook) -> Seen {
    let system = system(shared, check).await?;
    let argv = system.listening();
    let text = printed(shared, check, argv).await?;
    let seen = system
        .read_listening(&text)
        .map_err(|reason| unreadable(&argv.join(" "), &reason, &text))?;
    Ok(judge_listening(look, &seen, machine_of(check)?.as_str()))
}

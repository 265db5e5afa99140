//! Looks that read what a well-known tool prints: nginx, docker, the sockets of the system.

use super::machines::{machine_of, printed, system, unreadable};
use super::run::Shared;
use cockpit_domain::baseline::{
    Judgement, judge_containers, judge_listening, judge_nginx, judge_services, read_containers,
    read_services, server_text, service_list,
};
use cockpit_domain::pack::{Check, ContainersLook, ListeningLook, NginxLook, ServiceLook};

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
    let judgement = judge_containers(look, &seen);
    Ok(shared.finding(check, judgement, |fact| {
        let name = fact.strip_prefix("image.")?;
        let found = seen.iter().find(|container| container.name == name)?;
        Some(found.image.clone())
    }))
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

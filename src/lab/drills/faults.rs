//! Each fault turns the dump and the traffic, and both come back.

use super::tools::{Forward, chat, on, public, ssh_is_here, with_lab};
use crate::Lab;
use crate::fleet;

fn set(lab: &Lab, fault: &str) {
    // Twice, because that must be the same as once.
    lab.set_fault(fault).expect("a fault");
    lab.set_fault(fault).expect("a fault");
    let on = lab.faults().iter().any(|row| row.name == fault && row.on);
    assert!(on, "{fault} is on");
}

fn clear(lab: &Lab, fault: &str) {
    lab.clear_fault(fault).expect("a fault");
    lab.clear_fault(fault).expect("a fault");
    assert!(lab.faults().iter().all(|row| !row.on), "{fault} is off");
}

#[tokio::test]
async fn nginx_old_port_turns_the_dump_and_the_public_entry() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let before = on(&lab, "remote43", "nginx -T").await.out;
        assert!(!before.contains("18169"));
        set(&lab, "nginx-old-port");
        let dump = on(&lab, "remote43", "nginx -T").await.out;
        assert!(
            dump.contains("proxy_pass http://127.0.0.1:18169;"),
            "{dump}"
        );
        assert!(
            dump.contains("proxy_pass http://127.0.0.1:8080/v1/;"),
            "{dump}"
        );
        let (status, body) = public(&lab, "/v1/models").await;
        assert_eq!(status, 502);
        assert!(body.contains("<h1>502 Bad Gateway</h1>"), "{body}");
        assert_eq!(
            public(&lab, "/kimi-v1/models").await.0,
            401,
            "other locations still work"
        );
        let error = on(&lab, "remote43", "tail -n 1 /var/log/nginx/error.log")
            .await
            .out;
        assert!(
            error.contains(
                "connect() failed (111: Connection refused) while connecting to upstream"
            ) && error.contains("upstream: \"http://127.0.0.1:18169/v1/models\""),
            "{error}"
        );
        let ports = on(&lab, "remote43", "ss -ltnp").await.out;
        assert!(!ports.contains("18169"), "nothing listens there");
        clear(&lab, "nginx-old-port");
        assert_eq!(on(&lab, "remote43", "nginx -T").await.out, before);
        assert_eq!(public(&lab, "/v1/models").await.0, 401);
        lab
    })
    .await;
}

#[tokio::test]
async fn binding_lost_turns_the_stored_state_and_the_completion() {
    with_lab(|lab| async move {
        assert_eq!(chat(&lab, "gpt-5.4").await.0, 200);
        set(&lab, "binding-lost");
        let groups = |lab: &Lab| {
            lab.host("prod")
                .with(|state| state.groups_of(fleet::PROD_ACCOUNT))
        };
        assert_eq!(groups(&lab), [fleet::PROD_SUBSCRIPTION_GROUP]);
        assert_eq!(chat(&lab, "gpt-5.4").await.0, 503);
        clear(&lab, "binding-lost");
        assert_eq!(
            groups(&lab),
            [fleet::PROD_GROUP, fleet::PROD_SUBSCRIPTION_GROUP]
        );
        let (status, body) = chat(&lab, "gpt-5.4").await;
        assert_eq!(status, 200, "{body}");
        lab
    })
    .await;
}

#[tokio::test]
async fn leftover_container_appears_listens_and_can_be_stopped() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        set(&lab, "leftover-container");
        let names = "docker ps --format '{{.Names}}'";
        assert!(
            on(&lab, "remote43", names)
                .await
                .out
                .contains("route-lab-20260520")
        );
        assert!(
            on(&lab, "remote43", "ss -ltnp")
                .await
                .out
                .contains("127.0.0.1:18192")
        );
        let stack = Forward::open(&lab, "remote43", "127.0.0.1:18192").await;
        assert!(matches!(stack.get("/v1/models").await, Some((401, _))));

        assert_eq!(
            on(&lab, "remote43", "docker stop route-lab-20260520")
                .await
                .code,
            0
        );
        assert!(!on(&lab, "remote43", names).await.out.contains("route-lab"));
        let all = on(
            &lab,
            "remote43",
            "docker ps -a --format '{{.Names}} {{.State}}'",
        )
        .await
        .out;
        assert!(all.contains("route-lab-20260520 exited"), "{all}");
        assert_eq!(stack.get("/v1/models").await, None);
        let removed = on(&lab, "remote43", "docker rm route-lab-20260520").await;
        assert_eq!(removed.code, 0, "{}", removed.err);
        let all = on(&lab, "remote43", "docker ps -a").await.out;
        assert!(!all.contains("route-lab"), "{all}");

        clear(&lab, "leftover-container");
        let all = on(&lab, "remote43", "docker ps -a").await.out;
        assert!(!all.contains("route-lab"), "{all}");
        set(&lab, "leftover-container");
        assert!(
            on(&lab, "remote43", names)
                .await
                .out
                .contains("route-lab-20260520")
        );
        clear(&lab, "leftover-container");
        assert!(!on(&lab, "remote43", "ss -ltnp").await.out.contains("18192"));
        lab
    })
    .await;
}

#[tokio::test]
async fn upstream_quota_turns_every_vendor_and_leaves_no_cooldown_behind() {
    with_lab(|lab| async move {
        set(&lab, "upstream-quota");
        let (status, body) = chat(&lab, "gpt-5.4").await;
        assert_eq!(status, 502, "{body}");
        let seen = lab.log().since(0);
        let refused = seen
            .iter()
            .any(|row| row.service == "upstream:good" && row.status == 403);
        assert!(refused, "{seen:?}");
        clear(&lab, "upstream-quota");
        let (status, body) = chat(&lab, "gpt-5.4").await;
        assert_eq!(status, 200, "{body}");
        lab
    })
    .await;
}

#[tokio::test]
async fn host_502_turns_containers_ports_entry_and_tunnel() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let tunnel = Forward::open(&lab, "remote43", "127.0.0.1:8080").await;
        assert!(matches!(tunnel.get("/health").await, Some((200, _))));
        let mut held = tunnel.hold("/health").await;
        set(&lab, "host-502");
        held.is_cut().await;
        assert_eq!(tunnel.get("/health").await, None);
        let said = on(
            &lab,
            "remote43",
            "docker ps --format '{{.Names}}|{{.Status}}|{{.Ports}}'",
        )
        .await;
        assert!(said.out.contains("sub2api|Restarting (1) "), "{}", said.out);
        let log = on(&lab, "remote43", "docker logs --tail 1 sub2api").await;
        assert!(log.err.contains("server failed to start"), "{log:?}");
        assert!(
            !on(&lab, "remote43", "ss -H -ltn")
                .await
                .out
                .contains(":8080")
        );
        assert_eq!(public(&lab, "/v1/models").await.0, 502);
        assert_eq!(public(&lab, "/portal-admin-api/healthz").await.0, 200);
        clear(&lab, "host-502");
        assert!(
            on(&lab, "remote43", "ss -H -ltn")
                .await
                .out
                .contains(":8080")
        );
        assert_eq!(public(&lab, "/v1/models").await.0, 401);
        assert!(matches!(tunnel.get("/health").await, Some((200, _))));
        lab
    })
    .await;
}

#[tokio::test]
async fn tunnel_down_refuses_new_forwards_and_cuts_open_ones() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let mut production = Forward::open(&lab, "remote43", "127.0.0.1:8080").await;
        let acceptance = Forward::open(&lab, "accept44", "127.0.0.1:8080").await;
        let mut held = production.hold("/health").await;
        set(&lab, "tunnel-down");
        held.is_cut().await;
        assert_eq!(production.get("/health").await, None);
        let said = production.says().await;
        assert!(
            said.contains("administratively prohibited: open failed"),
            "{said}"
        );
        assert_eq!(acceptance.get("/health").await, None);
        assert_eq!(
            on(&lab, "remote43", "true").await.code,
            0,
            "commands still run"
        );
        assert_eq!(
            public(&lab, "/v1/models").await.0,
            401,
            "the public side is untouched"
        );
        clear(&lab, "tunnel-down");
        assert!(matches!(production.get("/health").await, Some((200, _))));
        assert!(matches!(acceptance.get("/health").await, Some((200, _))));
        lab
    })
    .await;
}

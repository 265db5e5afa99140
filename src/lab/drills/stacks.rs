//! A temporary stack and a deployment that went wrong: what stands there, what comes back, what nginx
//! and systemd say.

use super::tools::{on, public, ssh_is_here, with_lab};
use crate::Lab;

async fn said(lab: &Lab, command: &str) -> (i32, String) {
    let ran = on(lab, "remote43", command).await;
    (ran.code, format!("{}{}", ran.out, ran.err))
}

#[tokio::test]
async fn a_temporary_stack_stands_with_its_files_and_its_label_and_goes_piece_by_piece() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let names = "docker ps --format '{{.Names}}'";
        assert!(!said(&lab, names).await.1.contains("sub2api-trial"));
        lab.set_fault("temporary-stack").expect("a fault");
        let (_, running) = said(&lab, names).await;
        for name in [
            "sub2api-trial\n",
            "sub2api-trial-postgres",
            "sub2api-trial-redis",
        ] {
            assert!(running.contains(name), "{running}");
        }
        assert!(said(&lab, "ss -ltnp").await.1.contains("127.0.0.1:18087"));
        let label = "docker inspect --format '{{json .Config.Labels}}' sub2api-trial";
        assert!(said(&lab, label).await.1.contains("do-not-route-public"));

        // A stubborn one is up again at once; another one stays down.
        lab.set_fault("stack-restarts").expect("a fault");
        assert_eq!(said(&lab, "docker stop sub2api-trial").await.0, 0);
        assert!(said(&lab, names).await.1.contains("sub2api-trial\n"));
        lab.clear_fault("stack-restarts").expect("a fault");
        assert_eq!(said(&lab, "docker stop sub2api-trial").await.0, 0);
        assert!(!said(&lab, names).await.1.contains("sub2api-trial\n"));
        assert!(!said(&lab, "ss -ltnp").await.1.contains("127.0.0.1:18087"));
        lab.set_fault("stack-tunnel").expect("a fault");
        assert!(said(&lab, "ss -ltnp").await.1.contains("127.0.0.1:18087"));

        let file = "/home/ubuntu/trial/.env";
        assert_eq!(
            said(&lab, &format!("cat {file}")).await,
            (0, "SERVER_PORT=18087\n".to_owned())
        );
        assert_eq!(
            said(&lab, &format!("mv {file} /home/ubuntu/archive/.env"))
                .await
                .0,
            0
        );
        assert_eq!(said(&lab, &format!("cat {file}")).await.0, 1);
        assert_eq!(said(&lab, "cat /home/ubuntu/archive/.env").await.0, 0);
        assert_eq!(said(&lab, "rm /home/ubuntu/archive/.env").await.0, 0);
        assert_eq!(said(&lab, &format!("rm {file}")).await.0, 1);
        // Set anew it is whole again.
        lab.clear_fault("temporary-stack").expect("a fault");
        lab.set_fault("temporary-stack").expect("a fault");
        assert_eq!(said(&lab, &format!("cat {file}")).await.0, 0);
        assert!(said(&lab, names).await.1.contains("sub2api-trial\n"));
        lab
    })
    .await;
}

#[tokio::test]
async fn a_broken_configuration_is_refused_and_what_was_loaded_serves_on() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        assert_eq!(said(&lab, "nginx -t").await.0, 0);
        assert_eq!(said(&lab, "systemctl reload nginx").await.0, 0);
        lab.set_fault("nginx-broken").expect("a fault");
        let (code, text) = said(&lab, "nginx -t").await;
        assert!(
            code == 1 && text.contains("[emerg] unknown directive"),
            "{text}"
        );
        assert_eq!(said(&lab, "nginx -T").await.0, 1);
        let (code, text) = said(&lab, "systemctl reload nginx").await;
        assert!(
            code == 1 && text.contains("Job for nginx.service failed"),
            "{text}"
        );
        assert_eq!(
            public(&lab, "/v1/models").await.0,
            401,
            "traffic is as it was"
        );
        lab.clear_fault("nginx-broken").expect("a fault");
        lab.set_fault("nginx-reload-fails").expect("a fault");
        assert_eq!(said(&lab, "nginx -t").await.0, 0);
        assert_eq!(said(&lab, "systemctl reload nginx").await.0, 1);
        lab
    })
    .await;
}

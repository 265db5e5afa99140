//! The control socket, the written configuration, and the end of a lab.

use super::tools::{ask, with_lab};
use crate::fleet::{LAB_CHANNEL, LAB_GROUP, LAB_OLD_ACCOUNTS, account_name, old_key};
use crate::{Lab, LabOptions};
use std::future::Future;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[tokio::test]
async fn the_control_socket_lists_sets_clears_and_reads_requests() {
    with_lab(|lab| async move {
        let socket = lab.control_socket();
        let answer = ask(&socket, r#"{"do":"faults"}"#).await;
        let rows = answer["faults"].as_array().expect("rows");
        assert_eq!(rows.len(), 58);
        assert!(
            rows.iter()
                .all(|row| row["on"] == false && row["what"] != "")
        );

        let answer = ask(&socket, r#"{"do":"set","name":"host-502"}"#).await;
        let on = |answer: &serde_json::Value| {
            answer["faults"].as_array().is_some_and(|rows| {
                rows.iter()
                    .any(|row| row["name"] == "host-502" && row["on"] == true)
            })
        };
        assert!(on(&answer), "{answer}");
        assert!(
            lab.faults()
                .iter()
                .any(|row| row.name == "host-502" && row.on)
        );
        assert!(!on(
            &ask(&socket, r#"{"do":"clear","name":"host-502"}"#).await
        ));

        let answer = ask(&socket, r#"{"do":"set","name":"host-503"}"#).await;
        assert_eq!(answer["error"], "no fault is called `host-503`");
        assert_eq!(answer["hint"], "did you mean `host-502`?");
        assert!(ask(&socket, "nonsense").await["error"].is_string());

        super::tools::public(&lab, "/portal/").await;
        let answer = ask(&socket, r#"{"do":"requests","after":0}"#).await;
        let rows = answer["requests"].as_array().expect("rows");
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["path"], "/portal/");
        let answer = ask(&socket, r#"{"do":"requests","after":1}"#).await;
        assert_eq!(answer["requests"].as_array().map(Vec::len), Some(0));
        lab
    })
    .await;
}

#[tokio::test]
async fn the_acceptance_host_holds_ten_older_accounts_and_a_half_made_channel() {
    with_lab(|lab| async move {
        lab.host("accept").with(|state| {
            let group = state.groups.values().find(|group| group.name == LAB_GROUP);
            let group = group.expect("the provider's group");
            assert_eq!(group.subscription_type, "subscription");
            for number in 1..=LAB_OLD_ACCOUNTS {
                let name = account_name(&old_key(number));
                let account = state.accounts.values().find(|account| account.name == name);
                let account = account.expect("an older account");
                assert_eq!(state.groups_of(account.id), [group.id], "{name}");
            }
            let channel = state
                .channels
                .values()
                .find(|channel| channel.name == LAB_CHANNEL);
            assert!(channel.is_some_and(|channel| channel.model_pricing.is_empty()));
            assert!(state.plans.is_empty());
        });
        lab
    })
    .await;
}

#[tokio::test]
async fn the_written_configuration_names_the_lab() {
    with_lab(|lab| async move {
        let text = std::fs::read_to_string(lab.config_path()).expect("config");
        for line in [
            format!("\"tksea.public_base\" = \"{}\"", lab.public_base()),
            format!("control = \"{}\"", lab.control_socket().display()),
            "db_container = \"sub2api-postgres\"".to_owned(),
            "role = \"acceptance\"".to_owned(),
        ] {
            assert!(text.contains(&line), "{line}\n{text}");
        }
        lab
    })
    .await;
}

/// Every port the lab's files and tables speak of.
fn ports(lab: &Lab) -> Vec<u16> {
    let config = std::fs::read_to_string(lab.ssh_config()).expect("ssh_config");
    let ssh = config
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Port "))
        .filter_map(|port| port.parse().ok());
    let public = lab
        .public_base()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    ssh.chain(public).chain(lab.listeners()).collect()
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Ends a lab and looks at what it leaves; says whether every port was closed in time. A port can
/// be given to another drill's lab at once, so one clean round out of a few is the proof.
async fn leaves_nothing<F: Future<Output = ()>>(end: impl FnOnce(Lab) -> F) -> bool {
    let lab = Lab::start(LabOptions::default()).await.expect("lab starts");
    let (socket, ports) = (lab.control_socket(), ports(&lab));
    let folder = socket.parent().expect("a folder").to_owned();
    assert!(ports.len() >= 8, "{ports:?}");
    for port in &ports {
        assert!(listens(*port), "{port} listens");
    }
    end(lab).await;
    assert!(UnixStream::connect(&socket).is_err());
    assert!(!folder.exists());
    let closed = async {
        while ports.iter().any(|port| listens(*port)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), closed)
        .await
        .is_ok()
}

#[tokio::test]
async fn nothing_listens_and_the_folder_is_gone_after_shutdown() {
    for _ in 0..5 {
        if leaves_nothing(Lab::shutdown).await {
            return;
        }
    }
    panic!("a port stayed open in every round");
}

#[tokio::test]
async fn a_chosen_folder_stays_and_serves_the_next_lab() {
    let root = tempfile::tempdir().expect("a folder");
    let options = || LabOptions {
        state_root: Some(root.path().join("lab")),
        ..LabOptions::default()
    };
    let lab = Lab::start(options()).await.expect("lab starts");
    let (config, socket) = (lab.config_path(), lab.control_socket());
    lab.shutdown().await;
    assert!(config.exists() && !socket.exists());
    let lab = Lab::start(options()).await.expect("the next lab starts");
    assert!(ask(&lab.control_socket(), r#"{"do":"faults"}"#).await["faults"].is_array());
    lab.shutdown().await;
}

#[tokio::test]
async fn dropping_a_lab_ends_it_too() {
    for _ in 0..5 {
        if leaves_nothing(|lab| async { drop(lab) }).await {
            return;
        }
    }
    panic!("a port stayed open in every round");
}

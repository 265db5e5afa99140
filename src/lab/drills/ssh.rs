//! Login, commands and forwards through the real `ssh` client.

use super::tools::{Forward, finish, on, ssh_command, ssh_is_here, with_lab};

#[tokio::test]
async fn a_command_answers_with_its_streams_and_its_code() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let ran = on(&lab, "remote43", "uname -s").await;
        assert_eq!((ran.code, ran.out.as_str()), (0, "Linux\n"), "{}", ran.err);
        assert_eq!(on(&lab, "remote43", "true").await.code, 0);
        assert_eq!(on(&lab, "accept44", "false").await.code, 1);
        let ran = on(&lab, "remote43", "nosuch --thing").await;
        assert_eq!(ran.code, 127);
        assert!(ran.err.contains("nosuch: command not found"), "{}", ran.err);
        let ran = on(&lab, "remote43", "sudo -n nginx -T").await;
        assert!(
            ran.out.contains("server_name sub.tksea.top;"),
            "{}",
            ran.out
        );
        assert!(ran.err.contains("syntax is ok"), "{}", ran.err);
        assert!(!ran.out.contains("syntax is ok"));
        lab
    })
    .await;
}

#[tokio::test]
async fn a_forward_carries_http_and_an_unknown_target_is_refused() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let front = Forward::open(&lab, "remote43", "127.0.0.1:80").await;
        let (status, body) = front
            .get("/portal-admin-api/healthz")
            .await
            .expect("answer");
        assert_eq!((status, body.as_str()), (200, "ok"));
        let nowhere = Forward::open(&lab, "remote43", "127.0.0.1:9999").await;
        assert_eq!(nowhere.get("/").await, None);
        lab
    })
    .await;
}

#[tokio::test]
async fn an_eleventh_session_on_one_connection_is_refused() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let control = lab.control_socket().with_file_name("mux");
        let mux = || {
            let mut command = ssh_command(&lab.ssh_config());
            command.arg("-S").arg(&control);
            command
        };
        let mut master = mux();
        master.args(["-M", "-N", "remote43"]);
        let _master = master.spawn().expect("master starts");
        while !control.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let mut held = Vec::new();
        for _ in 0..crate::ssh::MAX_SESSIONS {
            let mut follow = mux();
            follow.args(["remote43", "journalctl -f"]);
            follow.stdout(std::process::Stdio::piped());
            let mut child = follow.spawn().expect("client starts");
            // The first byte proves that the session is open.
            let mut first = [0_u8; 1];
            let out = child.stdout.as_mut().expect("piped");
            tokio::io::AsyncReadExt::read_exact(out, &mut first)
                .await
                .expect("a line");
            held.push(child);
        }
        let mut more = mux();
        more.args(["remote43", "true"]);
        let ran = finish(more).await;
        // The client then falls back to a connection of its own, so the exit code says nothing.
        assert!(ran.err.contains("Session open refused by peer"), "{ran:?}");
        lab
    })
    .await;
}

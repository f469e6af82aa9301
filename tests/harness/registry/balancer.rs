//! nginx as balancer in front of several servers.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use super::part::{Part, own_address, program};

/// A running nginx.
pub struct Balancer {
    address: SocketAddr,
    _part: Part,
}

impl Balancer {
    /// Requests go to `servers` in turn; one that is away is passed over.
    #[track_caller]
    pub fn start(folder: &Path, servers: &[SocketAddr]) -> Self {
        let folder = folder.join("nginx");
        std::fs::create_dir_all(&folder).expect("a folder");
        let address = own_address();
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration(&folder, address, servers)).expect("a file");
        let mut part = Part::start("nginx", &folder.join("log"), &program("nginx"), |command| {
            command.arg("-p").arg(&folder).arg("-e").arg("stderr").arg("-c").arg(&file)
        });
        part.wait_for(address);
        Self { address, _part: part }
    }

    /// `http://ADDRESS:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn configuration(folder: &Path, address: SocketAddr, servers: &[SocketAddr]) -> String {
    let folder = folder.display();
    let mut upstream = String::new();
    for server in servers {
        writeln!(upstream, "    server {server} max_fails=1 fail_timeout=1s;").expect("text");
    }
    format!(
        "daemon off;
master_process off;
pid {folder}/pid;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream registry {{
{upstream}    keepalive 16;
  }}
  server {{
    listen {address};
    client_max_body_size 0;
    location / {{
      proxy_pass http://registry;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_read_timeout 600s;
      proxy_send_timeout 600s;
    }}
  }}
}}
"
    )
}

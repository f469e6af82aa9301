//! Load for a web server, the same for each that is compared. `tests/peers/registry/run` builds it with rustc alone.
//!
//! load throughput ADDRESS PATH CLIENTS SECONDS       as fast as it goes; bytes a second
//! load slow       ADDRESS PATH CLIENTS RATE SECONDS  each client takes RATE bytes a second; errors, and what the slowest got
//! load rate       ADDRESS PATH COUNT RPS SECONDS     GET PATH with `{}` as 1…COUNT, RPS requests a second whatever the answers do; latencies
//!                                                    in microseconds from when each request was due

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One connection that asks again and again.
struct Client {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Client {
    fn connect(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream: BufReader::with_capacity(1 << 20, stream), host: address.to_owned() })
    }

    /// Asks; the length of the body that comes.
    fn ask(&mut self, path: &str) -> Result<u64, Failure> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\n\r\n", self.host);
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 200") {
            return Err(format!("answer: {line}").into());
        }
        let mut length = 0;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err("the connection ended in the head".into());
            }
            let Some((name, value)) = line.trim().split_once(':') else { return Ok(length) };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
    }

    /// Some of the body, at most `most` bytes.
    fn take(&mut self, most: u64) -> Result<u64, Failure> {
        let came = self.stream.fill_buf()?.len();
        if came == 0 {
            return Err("the connection ended in the body".into());
        }
        let taken = came.min(usize::try_from(most)?);
        self.stream.consume(taken);
        Ok(taken as u64)
    }
}

fn throughput(address: &str, path: &str, clients: usize, seconds: u64) -> Result<String, Failure> {
    let (bytes, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let all: Vec<_> = (0..clients)
        .map(|_| {
            let (address, path, bytes, over) = (address.to_owned(), path.to_owned(), Arc::clone(&bytes), Arc::clone(&over));
            thread::spawn(move || -> Result<(), Failure> {
                let mut client = Client::connect(&address)?;
                while !over.load(Ordering::Relaxed) {
                    let mut left = client.ask(&path)?;
                    while left > 0 && !over.load(Ordering::Relaxed) {
                        let taken = client.take(left)?;
                        left -= taken;
                        bytes.fetch_add(taken, Ordering::Relaxed);
                    }
                }
                Ok(())
            })
        })
        .collect();
    thread::sleep(Duration::from_secs(1));
    let (start, before) = (Instant::now(), bytes.load(Ordering::Relaxed));
    thread::sleep(Duration::from_secs(seconds));
    let done = bytes.load(Ordering::Relaxed) - before;
    let rate = done as f64 / start.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    let mut errors = 0;
    for one in all {
        errors += u32::from(one.join().map_or(true, |r| r.is_err()));
    }
    Ok(format!("{{\"bytes_a_second\": {rate:.0}, \"errors\": {errors}}}"))
}

fn slow(address: &str, path: &str, clients: usize, rate: u64, seconds: u64) -> Result<String, Failure> {
    let all: Vec<_> = (0..clients)
        .map(|_| {
            let (address, path) = (address.to_owned(), path.to_owned());
            thread::spawn(move || -> Result<u64, Failure> {
                let mut client = Client::connect(&address)?;
                let start = Instant::now();
                let length = client.ask(&path)?;
                let mut got = 0;
                while start.elapsed() < Duration::from_secs(seconds) && got < length {
                    let due = (start.elapsed().as_secs_f64() * rate as f64) as u64;
                    if got < due {
                        got += client.take((due - got).min(length - got))?;
                    } else {
                        thread::sleep(Duration::from_millis(50));
                    }
                }
                Ok(got)
            })
        })
        .collect();
    let (mut errors, mut least, mut told) = (0, u64::MAX, String::new());
    for one in all {
        match one.join().map_err(|_| "a client broke")? {
            Ok(got) => least = least.min(got),
            Err(e) => (errors, told) = (errors + 1, e.to_string()),
        }
    }
    Ok(format!("{{\"errors\": {errors}, \"least_bytes\": {least}, \"error\": {told:?}}}"))
}

/// Connections that share the requests of `rate`.
const CONNECTIONS: u64 = 32;

fn rate(address: &str, path: &str, count: u64, rps: u64, seconds: u64) -> Result<String, Failure> {
    let latencies = Arc::new(Mutex::new(Vec::new()));
    let start = Instant::now() + Duration::from_millis(200);
    let all: Vec<_> = (0..CONNECTIONS)
        .map(|which| {
            let (address, path, latencies) = (address.to_owned(), path.to_owned(), Arc::clone(&latencies));
            thread::spawn(move || -> Result<(), Failure> {
                let mut client = Client::connect(&address)?;
                let mut seen = Vec::new();
                for n in (which..rps * seconds).step_by(CONNECTIONS as usize) {
                    let due = start + Duration::from_secs_f64(n as f64 / rps as f64);
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    // Neighbours are far apart, so that no cache is flattered.
                    let one = n.wrapping_mul(7919) % count + 1;
                    let mut left = client.ask(&path.replace("{}", &one.to_string()))?;
                    while left > 0 {
                        left -= client.take(left)?;
                    }
                    seen.push(due.elapsed().as_micros() as u64);
                }
                latencies.lock().map_err(|_| "a client broke")?.extend(seen);
                Ok(())
            })
        })
        .collect();
    let mut errors = 0;
    for one in all {
        if let Err(e) = one.join().map_err(|_| "a client broke")? {
            eprintln!("{e}");
            errors += 1;
        }
    }
    let took = start.elapsed().as_secs_f64();
    let mut all = latencies.lock().map_err(|_| "a client broke")?.clone();
    all.sort_unstable();
    if all.is_empty() {
        return Err("no answer at all".into());
    }
    let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize];
    Ok(format!(
        "{{\"requests\": {}, \"a_second\": {:.0}, \"p50\": {}, \"p99\": {}, \"worst\": {}, \"errors\": {errors}}}",
        all.len(),
        all.len() as f64 / took,
        at(0.5),
        at(0.99),
        at(1.0)
    ))
}

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let said = match words.as_slice() {
        ["throughput", address, path, clients, seconds] => throughput(address, path, clients.parse()?, seconds.parse()?)?,
        ["slow", address, path, clients, bytes, seconds] => slow(address, path, clients.parse()?, bytes.parse()?, seconds.parse()?)?,
        ["rate", address, path, count, rps, seconds] => rate(address, path, count.parse()?, rps.parse()?, seconds.parse()?)?,
        _ => return Err("usage: see the file's first lines".into()),
    };
    println!("{said}");
    Ok(())
}

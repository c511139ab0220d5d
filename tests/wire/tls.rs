//! A26: what has to be true of a server before anything is said to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use crate::child::ask;
use crate::raw::answer;

const TOKEN: &str = r#"{"access_token":"abc","token_type":"Bearer","expires_in":3600}"#;

/// An authority, and the certificate that says so.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// A certificate for a name, valid in these years.
    fn certify(&self, name: &str, years: [i32; 2]) -> (Certificate, KeyPair) {
        let (params, key) = request(name, years);
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

fn request(name: &str, years: [i32; 2]) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(years[0], 1, 1);
    params.not_after = date_time_ymd(years[1], 1, 1);
    (params, KeyPair::generate().unwrap())
}

/// A token endpoint that counts who got as far as to ask it.
async fn serve(
    (certificate, key): (Certificate, KeyPair),
    old: bool,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let versions = if old { &[&TLS12][..] } else { &[&TLS13] };
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream
                    .write_all(&answer(200, "application/json", TOKEN))
                    .await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (address, asked)
}

#[tokio::test]
async fn only_a_server_that_proves_its_name_is_told_anything() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("authority.pem");
    std::fs::write(&trusted, ours.certificate.pem()).unwrap();
    let now = [2020, 2100];
    let (alone, key) = request("localhost", now);
    let alone = alone.self_signed(&key).unwrap();
    for (about, certified, old, good) in [
        ("all is well", ours.certify("localhost", now), false, true),
        ("TLS 1.2", ours.certify("localhost", now), true, true),
        (
            "expired",
            ours.certify("localhost", [2020, 2021]),
            false,
            false,
        ),
        (
            "not yet valid",
            ours.certify("localhost", [2090, 2100]),
            false,
            false,
        ),
        (
            "another host's",
            ours.certify("api.example.com", now),
            false,
            false,
        ),
        ("signed by itself", (alone, key), false, false),
        (
            "signed by somebody",
            theirs.certify("localhost", now),
            false,
            false,
        ),
    ] {
        let (address, asked) = serve(certified, old).await;
        let base = format!("https://localhost:{}", address.port());
        let variables = [
            ("WIRE_BASE", base.as_str()),
            ("SSL_CERT_FILE", trusted.to_str().unwrap()),
        ];
        let said = ask("grant", &variables).await;
        let expected = if good {
            "granted"
        } else {
            "sign in: unavailable: no connection"
        };
        assert_eq!(said, expected, "{about}");
        assert_eq!(asked.load(Ordering::SeqCst), usize::from(good), "{about}");
    }
}

/// What a server of 1999 says first: TLS 1.0, and a cipher of its time.
#[tokio::test]
async fn old_versions_are_neither_offered_nor_taken() {
    const HELLO: [u8; 38] = {
        let mut hello = [7; 38];
        // Version 1.0; 32 bytes of chance; no session; TLS_RSA_WITH_AES_128_CBC_SHA; no compression.
        (
            hello[0], hello[1], hello[34], hello[35], hello[36], hello[37],
        ) = (3, 1, 0, 0, 0x2f, 0);
        hello
    };
    let handshake = [&[2, 0, 0, 38][..], &HELLO].concat();
    let record = [&[22, 3, 1, 0, 42][..], &handshake].concat();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!(
        "https://127.0.0.1:{}",
        listener.local_addr().unwrap().port()
    );
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut said = vec![0; 16 << 10];
        let read = stream.read(&mut said).await.unwrap();
        said.truncate(read);
        stream.write_all(&record).await.unwrap();
        said
    });
    assert_eq!(
        ask("grant", &[("WIRE_BASE", &base)]).await,
        "sign in: unavailable: no connection"
    );
    let said = server.await.unwrap();
    let offered = versions(&said);
    assert!(
        !offered.is_empty()
            && offered
                .iter()
                .all(|version| [[3, 3], [3, 4]].contains(version)),
        "{offered:?}"
    );
}

/// The versions that a `ClientHello` offers, of its extension `supported_versions`.
fn versions(hello: &[u8]) -> Vec<[u8; 2]> {
    let number = |at: usize| usize::from(hello[at]) << 8 | usize::from(hello[at + 1]);
    // The heads of record and message, a version, 32 bytes of chance; then three lists, each with its length.
    let mut at = 5 + 4 + 2 + 32;
    at += 1 + usize::from(hello[at]);
    at += 2 + number(at);
    at += 1 + usize::from(hello[at]);
    at += 2;
    while number(at) != 43 {
        at += 4 + number(at + 2);
    }
    let list = &hello[at + 5..at + 5 + usize::from(hello[at + 4])];
    list.chunks(2)
        .map(|version| [version[0], version[1]])
        .collect()
}

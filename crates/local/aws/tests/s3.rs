//! The local S3 against the real SDK.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Credentials, Region};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart};
use local_aws::lambda::LambdaHost;
use local_aws::{Gateway, Services};

struct Setup {
    s3: Client,
    services: Services,
    _gateway: Gateway,
    folder: tempfile::TempDir,
}

async fn setup() -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let host = LambdaHost::start().await.unwrap();
    let services = Services::open(folder.path(), host).unwrap();
    services.s3.store().create_bucket("landing").unwrap();
    let gateway = Gateway::start(([127, 0, 0, 1], 0).into(), services.clone())
        .await
        .unwrap();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(gateway.url())
        .build();
    Setup {
        s3: Client::from_conf(config),
        services,
        _gateway: gateway,
        folder,
    }
}

impl Setup {
    fn put(&self, key: &str, body: &'static [u8]) -> PutObjectFluentBuilder {
        let body = ByteStream::from_static(body);
        self.s3.put_object().bucket("landing").key(key).body(body)
    }
}

#[tokio::test]
async fn an_object_is_a_file_and_comes_back_whole() {
    let setup = setup().await;
    setup
        .put("a b/ü+1.gz", b"rows")
        .content_type("text/csv")
        .metadata("run", "r1")
        .send()
        .await
        .unwrap();
    let path = setup.folder.path().join("landing/a b/ü+1.gz");
    assert_eq!(std::fs::read(path).unwrap(), b"rows");
    let got = setup
        .s3
        .get_object()
        .bucket("landing")
        .key("a b/ü+1.gz")
        .send()
        .await
        .unwrap();
    assert_eq!(got.content_type(), Some("text/csv"));
    assert_eq!(got.metadata().unwrap()["run"], "r1");
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"rows");
}

#[tokio::test]
async fn nothing_but_objects_is_in_the_buckets_folder() {
    let setup = setup().await;
    setup.put("one", b"1").send().await.unwrap();
    setup.put("two/three", b"2").send().await.unwrap();
    assert_eq!(
        setup.services.s3.store().keys("landing", ""),
        ["one", "two/three"]
    );
    setup
        .s3
        .delete_object()
        .bucket("landing")
        .key("two/three")
        .send()
        .await
        .unwrap();
    let left: Vec<_> = std::fs::read_dir(setup.folder.path().join("landing"))
        .unwrap()
        .collect();
    assert_eq!(left.len(), 1);
}

#[tokio::test]
async fn of_many_claims_one_wins() {
    let setup = setup().await;
    let claims = (0..32).map(|_| {
        let claim = setup.put("claim", b"mine").if_none_match("*");
        tokio::spawn(claim.send())
    });
    let mut won = 0;
    for claim in claims.collect::<Vec<_>>() {
        match claim.await.unwrap() {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error.code(), Some("PreconditionFailed")),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn if_match_compares_etags() {
    let setup = setup().await;
    let first = setup.put("key", b"1").send().await.unwrap();
    let etag = first.e_tag().unwrap();
    setup.put("key", b"2").if_match(etag).send().await.unwrap();
    let error = setup
        .put("key", b"3")
        .if_match(etag)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("PreconditionFailed"));
}

#[tokio::test]
async fn checksums_are_verified_and_given_back() {
    let setup = setup().await;
    setup
        .put("key", b"rows")
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .send()
        .await
        .unwrap();
    let head = setup.s3.head_object().bucket("landing").key("key");
    let head = head
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(
        head.checksum_sha256(),
        Some("vFHp5l154ckLpUSrLq4QRMzfjBr3pVm6N1y6Qnb32Z4=")
    );
    assert_eq!(head.content_length(), Some(4));
    let wrong = setup
        .put("other", b"rows")
        .checksum_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert_eq!(wrong.send().await.unwrap_err().code(), Some("BadDigest"));
    assert_eq!(setup.services.s3.store().keys("landing", ""), ["key"]);
}

#[tokio::test]
async fn a_streamed_body_has_its_checksum_behind_it() {
    let setup = setup().await;
    let file = setup.folder.path().join("source");
    let content = b"0123456789".repeat(100_000);
    std::fs::write(&file, &content).unwrap();
    let body = ByteStream::from_path(&file).await.unwrap();
    setup
        .s3
        .put_object()
        .bucket("landing")
        .key("big")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(
        setup.services.s3.store().read("landing", "big").unwrap(),
        content
    );
    let part = setup
        .s3
        .get_object()
        .bucket("landing")
        .key("big")
        .range("bytes=5-14")
        .send()
        .await
        .unwrap();
    assert_eq!(part.content_range(), Some("bytes 5-14/1000000"));
    assert_eq!(part.body.collect().await.unwrap().to_vec(), b"5678901234");
}

#[tokio::test]
async fn what_is_absent_says_so() {
    let setup = setup().await;
    let get = setup
        .s3
        .get_object()
        .bucket("landing")
        .key("no")
        .send()
        .await
        .unwrap_err();
    assert!(get.into_service_error().is_no_such_key());
    let head = setup
        .s3
        .head_object()
        .bucket("landing")
        .key("no")
        .send()
        .await
        .unwrap_err();
    assert!(head.into_service_error().is_not_found());
    let bucket = setup
        .s3
        .get_object()
        .bucket("other")
        .key("no")
        .send()
        .await
        .unwrap_err();
    assert_eq!(bucket.code(), Some("NoSuchBucket"));
    setup
        .s3
        .delete_object()
        .bucket("landing")
        .key("no")
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn listings_are_paged_and_grouped() {
    let setup = setup().await;
    let folder = setup.folder.path().join("landing/win/b");
    std::fs::create_dir_all(&folder).unwrap();
    for number in 0..2_500 {
        std::fs::write(folder.join(format!("b{number:06}.json")), "{}").unwrap();
    }
    std::fs::write(setup.folder.path().join("landing/win-x"), "").unwrap();
    let list = setup.s3.list_objects_v2().bucket("landing");
    let mut pages = list.clone().prefix("win/").into_paginator().send();
    let mut keys = Vec::new();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.contents().len());
        keys.extend(
            page.contents()
                .iter()
                .map(|object| object.key().unwrap().to_owned()),
        );
    }
    assert_eq!(sizes, [1000, 1000, 500]);
    assert!(keys.is_sorted());
    let first = setup.s3.list_objects().bucket("landing").prefix("win/");
    let first = first.marker("win/b/b001499.json").send().await.unwrap();
    assert_eq!(first.contents().len(), 1000);
    assert_eq!(first.next_marker(), None);
    let after = list
        .clone()
        .prefix("win/b/")
        .start_after("win/b/b002497.json")
        .send()
        .await
        .unwrap();
    assert_eq!(after.contents().len(), 2);
    let grouped = list.delimiter("/").send().await.unwrap();
    assert_eq!(grouped.common_prefixes()[0].prefix(), Some("win/"));
    assert_eq!(grouped.contents()[0].key(), Some("win-x"));
}

#[tokio::test]
async fn an_upload_in_parts_is_claimed_like_an_object() {
    let setup = setup().await;
    let upload = |condition: Option<&'static str>| {
        let s3 = setup.s3.clone();
        async move {
            let upload = s3
                .create_multipart_upload()
                .bucket("landing")
                .key("big")
                .send()
                .await
                .unwrap();
            let id = upload.upload_id().unwrap().to_owned();
            let mut parts = CompletedMultipartUpload::builder();
            for (number, size) in [(1, 5 << 20), (2, 10)] {
                let body = ByteStream::from(vec![b'x'; size]);
                let part = s3.upload_part().bucket("landing").key("big").upload_id(&id);
                let part = part.part_number(number).body(body).send().await.unwrap();
                let done = CompletedPart::builder()
                    .part_number(number)
                    .e_tag(part.e_tag().unwrap());
                parts = parts.parts(done.build());
            }
            let complete = s3.complete_multipart_upload().bucket("landing").key("big");
            let complete = complete.upload_id(&id).multipart_upload(parts.build());
            (id, complete.set_if_none_match(condition.map(str::to_owned)))
        }
    };
    let (_, first) = upload(Some("*")).await;
    first.clone().send().await.unwrap();
    assert_eq!(first.send().await.unwrap_err().code(), Some("NoSuchUpload"));
    let (id, second) = upload(Some("*")).await;
    assert_eq!(
        second.send().await.unwrap_err().code(),
        Some("PreconditionFailed")
    );
    assert_eq!(setup.services.s3.store().open_uploads(), ["landing/big"]);
    let abort = setup
        .s3
        .abort_multipart_upload()
        .bucket("landing")
        .key("big")
        .upload_id(id);
    abort.send().await.unwrap();
    assert!(setup.services.s3.store().open_uploads().is_empty());
    assert_eq!(
        setup
            .services
            .s3
            .store()
            .read("landing", "big")
            .unwrap()
            .len(),
        (5 << 20) + 10
    );
}

/// A report of thirty Japanese characters has a folder of 270 bytes, which S3 takes and no file system does.
#[tokio::test]
async fn a_level_of_a_key_may_be_longer_than_a_file_name() {
    let setup = setup().await;
    let folder = format!("reports/{}", "~E6~97~A5".repeat(60));
    let keys = ["a.json", "b/c.json"].map(|name| format!("{folder}/{name}"));
    for key in &keys {
        setup.put(key, b"rows").send().await.unwrap();
    }
    let listed = setup.s3.list_objects_v2().bucket("landing");
    for prefix in [folder.as_str(), "reports/~E6", &folder[..300]] {
        let listed = listed.clone().prefix(prefix).send().await.unwrap();
        let found: Vec<&str> = listed.contents().iter().filter_map(|it| it.key()).collect();
        assert_eq!(found, keys, "{prefix}");
    }
    let store = setup.services.s3.store();
    assert_eq!(store.read("landing", &keys[1]).unwrap(), b"rows");
    for key in &keys {
        let gone = setup.s3.delete_object().bucket("landing").key(key).send();
        gone.await.unwrap();
    }
    assert_eq!(store.keys("landing", ""), [""; 0]);
}

/** Media types and predicate types, each with the document that defines it. */

// OCI image-spec, media types
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json';
export const OCI_LAYER_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';

// Docker image manifest version 2, schema 2
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';

export const IMAGE_MANIFESTS: readonly string[] = [OCI_MANIFEST, DOCKER_MANIFEST];
export const IMAGE_INDEXES: readonly string[] = [OCI_INDEX, DOCKER_LIST];
export const IMAGE_CONFIGS: readonly string[] = [OCI_CONFIG, DOCKER_CONFIG];

// DSSE and in-toto
export const DSSE_ENVELOPE = 'application/vnd.dsse.envelope.v1+json';
export const IN_TOTO = 'application/vnd.in-toto+json';
export const STATEMENT_V1 = 'https://in-toto.io/Statement/v1';
export const STATEMENT_V01 = 'https://in-toto.io/Statement/v0.1';

// Sigstore bundle
export const SIGSTORE_BUNDLE_V03 = 'application/vnd.dev.sigstore.bundle.v0.3+json';
/** What the media type of every version of a bundle begins with (interop A.3.5). */
export const SIGSTORE_BUNDLE = 'application/vnd.dev.sigstore.bundle';
export const CREATED = 'org.opencontainers.image.created';
/** The file that ORAS writes a layer to; without it, `oras pull` passes the layer over. */
export const TITLE = 'org.opencontainers.image.title';
export const BUNDLE_CONTENT = 'dev.sigstore.bundle.content';
export const BUNDLE_PREDICATE_TYPE = 'dev.sigstore.bundle.predicateType';

// Image signature in cosign's form
export const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** predicateType of an image signature in a bundle, as cosign 3 writes it (interop A.3.3). */
export const COSIGN_SIGN = 'https://sigstore.dev/cosign/sign/v1';

// Predicate types
export const CYCLONEDX = 'https://cyclonedx.org/bom';
export const SPDX = 'https://spdx.dev/Document';
export const SLSA_PROVENANCE_V1 = 'https://slsa.dev/provenance/v1';
export const SLSA_PROVENANCE_V02 = 'https://slsa.dev/provenance/v0.2';
/** Of every version. */
export const SLSA_PROVENANCE = 'https://slsa.dev/provenance';
export const SLSA_VSA_V1 = 'https://slsa.dev/verification_summary/v1';
/** Of every version. */
export const SLSA_VSA = 'https://slsa.dev/verification_summary';
export const TEST_RESULT = 'https://in-toto.io/attestation/test-result/v0.1';
export const VULNS_V01 = 'https://in-toto.io/attestation/vulns/v0.1';
export const COSIGN_VULN = 'https://cosign.sigstore.dev/attestation/vuln/v1';
export const COSIGN_CUSTOM = 'https://cosign.sigstore.dev/attestation/v1';
export const OPENVEX = 'https://openvex.dev/ns';
export const IN_TOTO_LINK = 'https://in-toto.io/Link/v1';

// BuildKit attestation manifests inside an index
export const BUILDKIT_REFERENCE_TYPE = 'vnd.docker.reference.type';
export const BUILDKIT_REFERENCE_DIGEST = 'vnd.docker.reference.digest';
export const BUILDKIT_ATTESTATION_MANIFEST = 'attestation-manifest';
export const BUILDKIT_PREDICATE_TYPE = 'in-toto.io/predicate-type';

// cosign's layer annotations
export const COSIGN_SIGNATURE = 'dev.cosignproject.cosign/signature';
export const COSIGN_CERTIFICATE = 'dev.sigstore.cosign/certificate';
export const COSIGN_CHAIN = 'dev.sigstore.cosign/chain';
export const COSIGN_BUNDLE = 'dev.sigstore.cosign/bundle';
export const COSIGN_RFC3161 = 'dev.sigstore.cosign/rfc3161timestamp';
export const PREDICATE_TYPE_ANNOTATION = 'predicateType';

package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/manifest/schema2"
	"github.com/opencontainers/go-digest"
	containers "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxManifestBytes is what distribution reads of a manifest.
const maxManifestBytes = 4 << 20

const manifestSchema = 2 // the only version in use

// checkedRequest finds the faults of a client that distribution would take for
// its own and answer with a 500. It may read some of body, and returns what
// distribution is to read instead. Of a manifest, which it reads to its end,
// it also returns the digest and those that it refers to.
func checkedRequest(req *http.Request, rt route, body io.ReadCloser) (io.ReadCloser, []digest.Digest, *refusal) {
	switch {
	case rt.isUpload():
		return body, nil, checkChunk(req)
	case rt.putsManifest(req.Method):
		return checkManifest(req, body)
	}
	return body, nil, nil
}

// checkChunk looks at the headers of a part of a layer. A form is not one, and
// distribution would look for parameters in it.
func checkChunk(req *http.Request) *refusal {
	kind := req.Header.Get("Content-Type")
	req.Header.Del("Content-Type")
	if media, _, err := mime.ParseMediaType(kind); req.Method == http.MethodPatch && kind != "" &&
		(err != nil || media != "application/octet-stream") {
		return &refusal{
			status: http.StatusUnsupportedMediaType, code: codeUploadInvalid,
			sentence: fmt.Sprintf("a part of a layer is sent as application/octet-stream, not as %.100q", kind),
		}
	}
	if span := req.Header.Get("Content-Range"); span != "" && !contentRange.MatchString(span) {
		return &refusal{
			status: http.StatusBadRequest, code: codeUploadInvalid,
			sentence: fmt.Sprintf("Content-Range is FIRST-LAST, two numbers of bytes, not %.100q", span),
		}
	}
	return nil
}

// checkManifest leaves to distribution what it refuses well itself, such as
// what is no JSON or refers to layers that were not pushed.
func checkManifest(req *http.Request, body io.ReadCloser) (io.ReadCloser, []digest.Digest, *refusal) {
	// An error shows again to whoever reads on.
	head, _ := io.ReadAll(io.LimitReader(body, maxManifestBytes+1))
	again := struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), body), body}
	manifest, whole, err := distribution.UnmarshalManifest(req.Header.Get("Content-Type"), head)
	if err != nil || len(head) > maxManifestBytes {
		return again, nil, nil
	}
	if fault := faultOfManifest(manifest, head); fault != "" {
		return again, nil, &refusal{status: http.StatusBadRequest, code: codeManifestInvalid, sentence: fault}
	}
	return again, append([]digest.Digest{whole.Digest}, references(manifest)...), nil
}

// references are the digests of all that a manifest names: config, layers,
// manifests of an index.
func references(m distribution.Manifest) []digest.Digest {
	var all []digest.Digest
	for _, part := range m.References() {
		all = append(all, part.Digest)
	}
	return all
}

// faultOfManifest is empty when there is none.
func faultOfManifest(manifest distribution.Manifest, raw []byte) string {
	var version struct {
		SchemaVersion int `json:"schemaVersion"`
	}
	if err := json.Unmarshal(raw, &version); err != nil || version.SchemaVersion != manifestSchema {
		return fmt.Sprintf("the manifest has the schema version %d; only %d is known", version.SchemaVersion, manifestSchema)
	}
	for _, part := range manifest.References() {
		if err := part.Digest.Validate(); err != nil {
			return fmt.Sprintf("the manifest refers to %.100q, which is no digest: %v", part.Digest, err)
		}
		if fault := faultOfAddresses(part); fault != "" {
			return fault
		}
	}
	return ""
}

// faultOfAddresses looks at where a layer that is not pushed is to come from.
// Distribution does not look at those of other parts.
func faultOfAddresses(part containers.Descriptor) string {
	switch part.MediaType {
	case schema2.MediaTypeForeignLayer:
		if len(part.URLs) == 0 {
			return fmt.Sprintf("the manifest gives no address of the foreign layer %s", part.Digest)
		}
	case containers.MediaTypeImageLayer, containers.MediaTypeImageLayerGzip,
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip":
	default:
		return ""
	}
	for _, address := range part.URLs {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "" {
			return fmt.Sprintf("the manifest gives %.100q as address of a layer; http:// and https:// are known", address)
		}
	}
	return ""
}

package registry_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"
)

// BenchmarkPushingALayer sends 64 MiB as docker does: in one chunk of unknown
// length, then the digest.
func BenchmarkPushingALayer(b *testing.B) {
	r := start(b)
	layer := randomBytes(64 << 20)
	sum := sha256.Sum256(layer)
	digest := "&digest=sha256:" + hex.EncodeToString(sum[:])
	b.SetBytes(int64(len(layer)))
	for b.Loop() {
		resp := r.send(b, http.MethodPatch, startUpload(b, r), struct{ *bytes.Reader }{bytes.NewReader(layer)})
		wantStatus(b, resp, http.StatusAccepted)
		wantStatus(b, r.send(b, http.MethodPut, resp.Header.Get("Location")+digest, nil), http.StatusCreated)
	}
}

package registry_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/registry"
)

const (
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	foreignLayer   = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
)

// startWithLog gives what the registry logs as an error.
func startWithLog(t *testing.T) (running, *lockedLog) {
	t.Helper()
	log := &lockedLog{}
	handler := slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})
	return start(t, func(c *registry.Config) { c.Logger = slog.New(handler) }), log
}

type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestABadManifestIsTheClientsFault(t *testing.T) {
	r, log := startWithLog(t)
	pushed := image(t, platform)
	r.push(t, web, "v1", pushed)
	there, err := pushed.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	config := func(digest string) string {
		return `"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"` + digest + `","size":2}`
	}
	layer := func(media, rest string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,%s,"layers":[{"mediaType":%q,"digest":%q,"size":3%s}]}`,
			dockerManifest, config(there.String()), media, missing, rest)
	}
	for _, test := range []struct{ media, body string }{
		{"", "{}"},
		{"", ""},
		{"", "no JSON"},
		{"", "[]"},
		{"no/type; =", "{}"},
		{ociManifest, "{}"},
		{ociManifest, `{"schemaVersion":"2"}`},
		{ociManifest, `{"schemaVersion":1,` + config(missing) + `}`},
		{ociManifest, `{"schemaVersion":2,` + config("md5:0") + `}`},
		{ociManifest, `{"schemaVersion":2,` + config("sha256:0") + `}`},
		{ociManifest, `{"schemaVersion":2,` + config("") + `}`},
		{ociManifest, `{"schemaVersion":2,` + config(missing) + `}`},
		{ociIndex, "{}"},
		{ociIndex, `{"schemaVersion":2,"mediaType":"` + ociIndex + `","manifests":[{"digest":"x"}]}`},
		{dockerManifest, "{}"},
		{dockerManifest, `{"schemaVersion":1,"mediaType":"` + dockerManifest + `"}`},
		{dockerManifest, layer(foreignLayer, "")},
		{dockerManifest, layer(foreignLayer, `,"urls":["file:///etc/passwd"]`)},
		{dockerList, "{}"},
		{dockerList, `{"schemaVersion":1,"mediaType":"` + dockerList + `","manifests":[]}`},
	} {
		resp := r.send(t, http.MethodPut, "/v2/"+web+"/manifests/x", strings.NewReader(test.body), "Content-Type", test.media)
		if resp.StatusCode/100 != 4 {
			t.Errorf("%s %s: status %d", test.media, test.body, resp.StatusCode)
		}
	}
	resp := r.send(t, http.MethodPut, "/v2/"+web+"/manifests/x", strings.NewReader("{}"), "Content-Type", ociManifest)
	wantRefusal(t, resp, http.StatusBadRequest, "MANIFEST_INVALID", "schema version 0")
	if log.String() != "" {
		t.Errorf("logged: %s", log)
	}
}

func TestABadPartOfALayerIsTheClientsFault(t *testing.T) {
	r, log := startWithLog(t)
	const form = "application/x-www-form-urlencoded"
	resp := r.send(t, http.MethodPatch, startUpload(t, r), strings.NewReader("a=b"), "Content-Type", form)
	wantRefusal(t, resp, http.StatusUnsupportedMediaType, "BLOB_UPLOAD_INVALID", "application/octet-stream")
	for _, header := range [][]string{
		{"Content-Type", "multipart/form-data"},
		{"Content-Type", "nonsense;;"},
		{"Content-Range", "bytes 0-2/3"},
		{"Content-Range", "x-y"},
		{"Content-Range", "0-99999999999999999999"},
		{"Content-Range", "5-7"},
		{"Content-Range", "0-9"},
	} {
		resp := r.send(t, http.MethodPatch, startUpload(t, r), strings.NewReader("abc"), header...)
		if resp.StatusCode/100 != 4 {
			t.Errorf("PATCH with %q: status %d", header, resp.StatusCode)
		}
	}
	for _, header := range [][]string{{"Content-Type", form}, {"Content-Range", "x"}} {
		resp := r.send(t, http.MethodPut, startUpload(t, r)+"&digest="+missing, strings.NewReader("digest=x"), header...)
		if resp.StatusCode/100 != 4 {
			t.Errorf("PUT with %q: status %d", header, resp.StatusCode)
		}
	}
	if log.String() != "" {
		t.Errorf("logged: %s", log)
	}
}

// A form's type must not let distribution swallow the layer as a form.
func TestTheLastPartOfALayerIsTakenWhateverItsTypeIs(t *testing.T) {
	r := start(t)
	const digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // of abc
	resp := r.send(t, http.MethodPut, startUpload(t, r)+"&digest="+digest, strings.NewReader("abc"),
		"Content-Type", "application/x-www-form-urlencoded")
	wantStatus(t, resp, http.StatusCreated)
}

func TestCredentialsOfAnUnknownFormAreNotTakenForNone(t *testing.T) {
	r := start(t)
	for _, header := range []string{"Negotiate abc", "Basic !", "Basic"} {
		for _, path := range []string{"/v2/", registry.DefaultTokenPath} {
			req := newRequest(t, http.MethodGet, r.url+path)
			req.Header.Set("Authorization", header)
			wantRefusal(t, do(t, req), http.StatusUnauthorized, "UNAUTHORIZED", "Authorization header")
		}
	}
}

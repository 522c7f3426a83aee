package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

func TestThePageOfTheAPINeedsNothingButThisServer(t *testing.T) {
	handler := (&Server{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Version: "1.2.3"}).Handler(nil)
	ask := func(path string) *http.Response {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Result()
	}
	page := ask(api.DocsPath)
	text, err := io.ReadAll(page.Body)
	if err != nil || page.StatusCode != http.StatusOK || page.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %s, %v", page.StatusCode, page.Header, err)
	}
	policy := page.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "connect-src 'self';", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy lacks %q: %s", part, policy)
		}
	}
	if strings.Contains(policy, "http") || strings.Contains(policy, "*") || strings.Contains(policy, "unsafe-eval") {
		t.Errorf("the policy lets other hosts in: %s", policy)
	}
	if found := regexp.MustCompile(`(?i)https?:|src="//|href="//`).FindString(string(text)); found != "" {
		t.Errorf("the page names another host: %s", text)
	}
	for _, address := range regexp.MustCompile(`(?:src|spec-url)="([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
		got := ask(address[1])
		body, err := io.ReadAll(got.Body)
		if err != nil || got.StatusCode != http.StatusOK || len(body) < 1000 {
			t.Errorf("%s: %d, %d bytes, %v", address[1], got.StatusCode, len(body), err)
		}
	}
	if kind := ask(rapidocPath).Header.Get("Content-Type"); kind != "text/javascript; charset=utf-8" {
		t.Errorf("the script is %s", kind)
	}
	if other := ask(api.DocsPath + "/rapidoc-0.0.0.js"); other.StatusCode != http.StatusNotFound {
		t.Errorf("a script that is not there: %d", other.StatusCode)
	}
}

func TestRapiDocIsTheOneThatIsRecorded(t *testing.T) {
	recorded, err := os.ReadFile("rapidoc/checksums.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(recorded)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		content, err := os.ReadFile(filepath.Join("rapidoc", name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not the recorded one", name)
		}
	}
	version := regexp.MustCompile(`RapiDoc ([0-9.]+)`)
	readme, err := os.ReadFile("rapidoc/README.md")
	if err != nil {
		t.Fatal(err)
	}
	inside, said := version.FindSubmatch(rapidoc), version.FindSubmatch(readme)
	if inside == nil || said == nil || string(inside[1]) != string(said[1]) || !strings.Contains(rapidocPath, string(inside[1])) {
		t.Errorf("inside %q, README %q, path %s", inside, said, rapidocPath)
	}
}

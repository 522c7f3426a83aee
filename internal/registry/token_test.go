package registry

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestATokenIsGoodUntilItExpires(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	signer := tokenSigner{key: []byte("key"), now: func() time.Time { return now }}
	who := Identity{User: "alice@example.com", Credential: "7"}
	token, err := signer.sign(who)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := signer.verify(token); err != nil || got != who {
		t.Fatalf("got %+v, %v", got, err)
	}
	now = now.Add(tokenLifetime)
	if _, err := signer.verify(token); !errors.Is(err, ErrCredentials) {
		t.Fatalf("after its time: %v", err)
	}
}

func TestAChangedTokenIsRefused(t *testing.T) {
	signer := tokenSigner{key: []byte("key"), now: time.Now}
	token, err := signer.sign(Identity{User: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range token {
		changed := token[:i] + string(token[i]^1) + token[i+1:]
		// The last digit of base64 has bits that mean nothing.
		if _, err := signer.verify(changed); err == nil && i < len(token)-1 {
			t.Fatalf("accepted with digit %d changed: %s", i, changed)
		}
	}
	other := tokenSigner{key: []byte("other"), now: time.Now}
	if _, err := other.verify(token); !errors.Is(err, ErrCredentials) {
		t.Fatalf("another key: %v", err)
	}
}

func FuzzAForgedTokenIsRefused(f *testing.F) {
	signer := tokenSigner{key: []byte("key"), now: time.Now}
	for _, seed := range []string{"", "reg1.", "reg1..", "reg1.e30.", ".", "reg1.e30.AAAA", "sops_x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if who, err := signer.verify(token); err == nil {
			t.Fatalf("%q made %+v", token, who)
		}
	})
}

func TestTheCacheOfCredentialsIsBoundedAndForgets(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	cache := newCredentialCache([]byte("key"), func() time.Time { return now })
	for i := range 3 * cachedCredentials {
		cache.put("alice", strings.Repeat("x", i), Identity{User: "alice"})
		if n := len(cache.entries); n > cachedCredentials {
			t.Fatalf("%d entries", n)
		}
	}
	cache.put("ab", "c", Identity{User: "ab"})
	if _, found := cache.get("a", "bc"); found {
		t.Fatal("user and password run together")
	}
	if _, found := cache.get("ab", "c"); !found {
		t.Fatal("not remembered")
	}
	now = now.Add(credentialLifetime)
	if _, found := cache.get("ab", "c"); found {
		t.Fatal("remembered for ever")
	}
}

func FuzzRoutesStayInsideTheirDirectory(f *testing.F) {
	for _, seed := range []string{
		"/v2/", "/v2/a/b/c/d/blobs/uploads/..", "/v2/a/b/c/d/blobs/uploads/01a20a0d-af7d-760a-9567-723eb3d74414",
		"/v2/../a/b/c/tags/list", "/v2/a/b/c/d/manifests/sha256:00", "/v2/_catalog",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		rt, found := routeOf(&http.Request{Method: http.MethodPatch, URL: &url.URL{Path: path}})
		if !found {
			return
		}
		if strings.ContainsAny(rt.upload, "./") {
			t.Fatalf("%q continues upload %q", path, rt.upload)
		}
		for part := range strings.SplitSeq(rt.repository, "/") {
			if part == "." || part == ".." {
				t.Fatalf("%q names repository %q", path, rt.repository)
			}
		}
	})
}

package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

func TestAServerOfAnotherAPIIsRefused(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set(api.VersionHeader, "2.1.0")
		w.Header().Set(api.APIVersionHeader, "v2")
		w.WriteHeader(http.StatusNotFound)
	})
	_, err := c.StartCommit(t.Context(), stage, api.StartCommit{})
	var other *client.VersionError
	if !errors.As(err, &other) || other.API != "v2" || other.Version != "2.1.0" || !strings.Contains(err.Error(), "API v2, and this program v1") {
		t.Errorf("%v", err)
	}
	if requests.Load() != 1 {
		t.Errorf("it was asked %d times", requests.Load())
	}
}

func TestWhatTheServerIsIsToldOnce(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(api.VersionHeader, "0.7.1")
		w.Header().Set(api.APIVersionHeader, api.Version)
		_, _ = fmt.Fprint(w, `{"version":"0.7.1","api":"v1"}`)
	}))
	t.Cleanup(s.Close)
	var met []api.ServerVersion
	options := quick
	options.Met = func(v api.ServerVersion) { met = append(met, v) }
	c := client.New(s.URL, "", options)
	for range 2 {
		if v, err := c.ServerVersion(t.Context()); err != nil || v.Version != "0.7.1" {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	if len(met) != 1 || met[0] != (api.ServerVersion{Version: "0.7.1", API: "v1"}) {
		t.Errorf("told %+v", met)
	}
}

// A newer server may say more than this client knows.
func TestUnknownFieldsAreIgnored(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if strings.HasSuffix(r.URL.Path, "/apps") {
			_, _ = fmt.Fprint(w, `{"apps":[{"name":"web","colour":"blue","shape":{"sides":[1,2]}}],"next":"page"}`)
			return
		}
		_, _ = fmt.Fprint(w, `{"id":"c0ffee","mood":null,"state":"done","failure":{"app":"web","weather":{"rain":true}}}`)
	})
	apps, err := c.Apps(t.Context(), stage)
	if err != nil || len(apps) != 1 || apps[0].Name != "web" {
		t.Errorf("apps %+v, %v", apps, err)
	}
	commit, err := c.Commit(t.Context(), stage, "c0ffee")
	if err != nil || commit.ID != "c0ffee" || commit.Failure == nil || commit.Failure.App != "web" {
		t.Errorf("commit %+v, %v", commit, err)
	}
}

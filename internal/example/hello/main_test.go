package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestThePageGreetsWithItsVersion(t *testing.T) {
	t.Setenv("GREETING", "Welcome")
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	if got := w.Body.String(); got != "Welcome from version 0\n" {
		t.Errorf("the page says %q", got)
	}
}

func TestTheCheckAsksTheServerItself(t *testing.T) {
	server := httptest.NewServer(handler())
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PORT", port)
	if err := run([]string{"check"}, nil); err != nil {
		t.Error(err)
	}
	server.Close()
	if err := run([]string{"check"}, nil); err == nil {
		t.Error("a server that is gone is healthy")
	}
}

func TestMigrationsSayWhatTheyDo(t *testing.T) {
	var out bytes.Buffer
	if err := run([]string{"db:migrate"}, &out); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "create table") != 2 {
		t.Errorf("they said %q", out.String())
	}
}

func TestABrokenVersionSaysWhyBeforeItEnds(t *testing.T) {
	broken = "cannot start"
	defer func() { broken = "" }()
	if err := run(nil, nil); err == nil || err.Error() != "cannot start" {
		t.Errorf("it said %v", err)
	}
}

func TestAnUnknownCommandIsRefused(t *testing.T) {
	if err := run([]string{"db:drop"}, nil); err == nil {
		t.Error("it was taken")
	}
}

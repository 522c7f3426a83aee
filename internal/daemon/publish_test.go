package daemon

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRoutersGetCertificatesAsTheyAre(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	text, err := encodePair(&pair)
	if err != nil {
		t.Fatal(err)
	}
	again, err := tls.X509KeyPair(text.Chain, text.Key)
	if err != nil || len(again.Certificate) != len(pair.Certificate) || !bytes.Equal(again.Certificate[0], pair.Certificate[0]) {
		t.Errorf("%d certificates, %v", len(again.Certificate), err)
	}
}

func TestTheKeyOfRoutersFollowsFromTheServersKey(t *testing.T) {
	of := func(key string) string {
		c := &core{sealKey: []byte(key)}
		got, err := c.routerKey()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	one, again, two := of("one"), of("one"), of("two")
	if one != again || one == two || len(one) != 64 {
		t.Errorf("%s, %s, %s", one, again, two)
	}
}

func TestASettingOfARouterThatIsWrongIsNamed(t *testing.T) {
	for _, args := range [][]string{
		{"--http-listen", "8080"},
		{"--https-listen", "8443"},
		{"--admin-listen", ""},
		{"--namespace", "Setops"},
		{"--https-port", "0"},
		{"--trusted-proxies", "10.0.0.0/33"},
		{"--server-url", "setopsd:7700"},
		{"--server-url", "http://setopsd/api"},
	} {
		cmd := newRouter(func(string) string { return "" }, io.Discard, io.Discard)
		cmd.SetArgs(args)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), args[0]) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestRoutersNeedACluster(t *testing.T) {
	c := valid()
	c.Engine, c.RegistryListen, c.Routing, c.RouterNamespace = kubernetesKind, "192.0.2.1:5000", routingRouter, "setops-router"
	if err := c.check(); err != nil {
		t.Error(err)
	}
	for _, c.Routing = range []string{auto, routingRouter} {
		c.RouterNamespace = "Router"
		if err := c.check(); err == nil || !strings.Contains(err.Error(), "--router-namespace") {
			t.Errorf("%s: %v", c.Routing, err)
		}
	}
	c.RouterNamespace, c.Engine = "setops-router", embeddedKind
	if err := c.check(); err == nil || !strings.Contains(err.Error(), "--routing router needs --engine kubernetes") {
		t.Errorf("%v", err)
	}
}

func TestAChallengeThatARouterPassesOnIsNoRequestOfTheAPI(t *testing.T) {
	f := &front{}
	api, challenge := noting("api"), noting("challenge")
	f.certified.Store(&certified{api: challenge})
	f.gate = newGate(false, func() string { return "" })
	f.gate.open(api)
	for path, want := range map[string]string{"/.well-known/acme-challenge/token": "challenge", "/v1/version": "api", "/.well-known/other": "api"} {
		w := httptest.NewRecorder()
		f.serveAPI(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Body.String() != want {
			t.Errorf("%s went to %s", path, w.Body)
		}
	}
}

func noting(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
}

func TestWhatAutoWasTakenForIsWhatLeads(t *testing.T) {
	c := &core{Daemon: &Daemon{Config: Config{Routing: auto, Gateway: "a/b", IngressClass: "c"}}}
	if err := c.openRouting(t.Context()); err != nil || c.routing() != auto { // there is no cluster
		t.Errorf("%s, %v", c.routing(), err)
	}
	c.led = &led{by: routingRouter, because: "they are there"}
	got := c.clusterConfig()
	if c.routing() != routingRouter || got.Routing != routingRouter || got.Because != "they are there" || got.Gateway != "" || got.IngressClass != "" {
		t.Errorf("%s, %+v", c.routing(), got)
	}
}

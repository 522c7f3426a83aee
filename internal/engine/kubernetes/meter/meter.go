// Package meter stands between a program and the API of a Kubernetes cluster and counts what is asked of it. It is of tests and
// benchmarks. Start with Open.
package meter

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Meter counts requests, by verb and resource: "patch deployments", "get pods/log", "list pods of all namespaces".
type Meter struct {
	Kubeconfig string // leads to the cluster by way of the meter

	server *httptest.Server
	mu     sync.Mutex
	counts Counts
	only   string
}

// Counts are how often each was asked.
type Counts map[string]int

// Open begins to count what is asked of a cluster by who uses the Kubeconfig that it writes into dir. Close ends it.
func Open(kubeconfig, dir string) (*Meter, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %s: %w", kubeconfig, err)
	}
	config.NextProtos = []string{"http/1.1"} // or nobody could run a program in a pod
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, fmt.Errorf("make client of the cluster: %w", err)
	}
	at, err := url.Parse(config.Host)
	if err != nil {
		return nil, fmt.Errorf("read the address of the cluster: %w", err)
	}
	m := &Meter{Kubeconfig: filepath.Join(dir, "metered.kubeconfig"), counts: Counts{}}
	pass := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(at) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	m.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.count(r)
		pass.ServeHTTP(w, r)
	}))
	return m, m.writeKubeconfig()
}

func (m *Meter) writeKubeconfig() error {
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"metered": {Server: m.server.URL}},
		Contexts:       map[string]*clientcmdapi.Context{"metered": {Cluster: "metered"}},
		CurrentContext: "metered",
	}, m.Kubeconfig)
	if err != nil {
		m.server.Close()
		return fmt.Errorf("write a kubeconfig: %w", err)
	}
	return nil
}

// Close cuts whoever is connected.
func (m *Meter) Close() {
	m.server.CloseClientConnections()
	m.server.Close()
}

func (m *Meter) count(r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !isElsewhere(r.URL.Path, m.only) {
		m.counts[name(r)]++
	}
}

// Only has what is asked of other namespaces not counted from now on; empty: everything is.
func (m *Meter) Only(namespace string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.only = namespace
}

// Counts gives what was asked so far.
func (m *Meter) Counts() Counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.counts)
}

// Since gives what was asked since then.
func (m *Meter) Since(before Counts) Counts {
	since := m.Counts()
	for what, n := range before {
		if since[what] -= n; since[what] == 0 {
			delete(since, what)
		}
	}
	return since
}

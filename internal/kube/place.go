package kube

import (
	"os"
	"strings"
)

// DefaultNamespace is where the manifests put what belongs to the server.
const DefaultNamespace = "setops"

const (
	namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
	resolvFile    = "/etc/resolv.conf"
)

// Namespace is that of the server and of what belongs to it: what a flag says, else the one that this process runs in, else
// DefaultNamespace.
func Namespace(flag string) string { return namespace(flag, namespaceFile) }

func namespace(flag, file string) string {
	if flag != "" {
		return flag
	}
	b, err := os.ReadFile(file)
	if name := strings.TrimSpace(string(b)); err == nil && name != "" {
		return name
	}
	return DefaultNamespace
}

// Domain is what the cluster calls itself in DNS: what a flag says, else what the resolver of this process is told, as in each
// pod, else cluster.local.
func Domain(flag string) string { return domain(flag, resolvFile) }

func domain(flag, file string) string {
	if flag != "" {
		return flag
	}
	b, _ := os.ReadFile(file)
	for line := range strings.Lines(string(b)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "search" {
			continue
		}
		for _, word := range words[1:] {
			if name, found := strings.CutPrefix(word, "svc."); found {
				return strings.TrimSuffix(name, ".")
			}
		}
	}
	return "cluster.local"
}

package certs

import (
	"strings"
	"sync"
)

// canonical is a name as it is compared: in lower case, without a dot at its end.
func canonical(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

func isWildcard(name string) bool { return strings.HasPrefix(name, "*.") }

// wildcardOf is the one wildcard that answers for a host: *.example.com for shop.example.com. It is "" where the host has
// one label only.
func wildcardOf(host string) string {
	_, parent, _ := strings.Cut(host, ".")
	if parent == "" {
		return ""
	}
	return "*." + parent
}

// names has a keeper per name, in canonical form. Reading it takes no lock, as every handshake does.
type names struct{ all sync.Map }

func (n *names) get(name string) *keeper {
	k, ok := n.all.Load(name)
	if !ok {
		return nil
	}
	return k.(*keeper)
}

func (n *names) put(k *keeper)      { n.all.Store(k.name, k) }
func (n *names) remove(name string) { n.all.Delete(name) }

// each calls f with every keeper.
func (n *names) each(f func(*keeper)) {
	n.all.Range(func(_, k any) bool { f(k.(*keeper)); return true })
}

// forHost is the keeper that answers for a host: its own, or that of its wildcard, whichever has a certificate, and its own
// where neither has.
func (n *names) forHost(host string) *keeper {
	host = canonical(host)
	own := n.get(host)
	if own != nil && own.leaf.Load() != nil {
		return own
	}
	if wild := n.get(wildcardOf(host)); wild != nil && (own == nil || wild.leaf.Load() != nil) {
		return wild
	}
	return own
}

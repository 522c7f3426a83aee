package certs

import (
	"context"
	"crypto/tls"
	"maps"
	"slices"
	"time"
)

// Set says which names an owner needs certificates for from now on; nil lets all go. Certificates that are stored or
// uploaded are served when it returns, and so are those of the server's own authority; others are ordered behind it and
// tried again until they are there. A name that nobody has any more is not served; its certificate stays in the
// store until it expires, as it may come back with another owner.
//
// Names are compared without case and without a dot at their end. *.example.com stands for any one label in its place.
func (m *Manager) Set(owner string, names []string) {
	for _, k := range m.take(owner, names) {
		k.begin()
	}
	m.changed()
}

// All gives the names that are served by TLS, wildcards as *.example.com, and with which certificates.
func (m *Manager) All() map[string]*tls.Certificate {
	all := map[string]*tls.Certificate{}
	m.names.each(func(k *keeper) {
		if leaf := k.leaf.Load(); leaf != nil {
			all[k.name] = leaf
		}
	})
	return all
}

// take notes what an owner has, and gives the keepers of new names.
func (m *Manager) take(owner string, list []string) []*keeper {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() != nil {
		return nil
	}
	m.owners[owner] = nil
	for _, name := range list {
		m.owners[owner] = append(m.owners[owner], canonical(name))
	}
	if len(list) == 0 {
		delete(m.owners, owner)
	}
	m.letGo()
	var begun []*keeper
	for _, name := range m.owners[owner] {
		if k := m.names.get(name); k != nil {
			k.again(time.Now())
			continue
		}
		k := m.keeper(name)
		m.names.put(k)
		m.loops.Add(1) // here, where Close cannot be waiting already
		begun = append(begun, k)
	}
	return begun
}

// letGo ends the keepers of names that nobody has.
func (m *Manager) letGo() {
	wanted := map[string]bool{}
	for list := range maps.Values(m.owners) {
		for name := range slices.Values(list) {
			wanted[name] = true
		}
	}
	m.names.each(func(k *keeper) {
		if !wanted[k.name] {
			m.names.remove(k.name)
			k.end()
		}
	})
}

func (m *Manager) keeper(name string) *keeper {
	k := &keeper{m: m, name: name, key: leaves + m.issuer.id() + "/" + name, hurry: make(chan struct{}, 1)}
	k.ctx, k.end = context.WithCancel(m.ctx)
	return k
}

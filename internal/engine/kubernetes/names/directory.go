package names

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
	core "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/lookup"
)

// Indexes of what is followed.
const (
	byAddress   = "address"   // pods
	byNamespace = "namespace" // Services
	byZone      = "zone"      // Services: DOMAIN.internal.
)

var (
	podIndexes     = cache.Indexers{byAddress: addressesOf}
	serviceIndexes = cache.Indexers{byNamespace: namespaceOf, byZone: zoneOf}
)

// directory is what is known of the cluster.
type directory struct {
	pods, services cache.Indexer
	synced         func() bool

	mu      sync.Mutex
	changed chan struct{} // closed when pods have come or changed
}

func newDirectory(pods, services cache.Indexer, synced func() bool) *directory {
	return &directory{pods: pods, services: services, synced: synced, changed: make(chan struct{})}
}

// addressesOf gives those of a pod that are its own for as long as its container may run.
func addressesOf(o any) (all []string, err error) {
	pod, ok := o.(*core.Pod)
	if !ok || pod.Spec.HostNetwork || pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed {
		return nil, nil
	}
	for _, ip := range pod.Status.PodIPs {
		if a, err := netip.ParseAddr(ip.IP); err == nil {
			all = append(all, a.String())
		}
	}
	return all, nil
}

func namespaceOf(o any) ([]string, error) {
	if hostOf(o) == "" {
		return nil, nil
	}
	return []string{o.(*core.Service).Namespace}, nil
}

// zoneOf leaves out the app, its stage and its project.
func zoneOf(o any) ([]string, error) {
	host := hostOf(o)
	for range 3 {
		_, host, _ = strings.Cut(host, ".")
	}
	if !dns.IsSubDomain(internal, host) {
		return nil, nil
	}
	return []string{host}, nil
}

// hostOf gives the private name of a Service; empty: it has none.
func hostOf(o any) string {
	service, ok := o.(*core.Service)
	if !ok || service.Annotations[object.AnnotationHost] == "" {
		return ""
	}
	return dns.CanonicalName(service.Annotations[object.AnnotationHost])
}

// tell wakes those who wait for a pod.
func (d *directory) tell() {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.changed)
	d.changed = make(chan struct{})
}

// owner gives the namespace of the pod that has an address. One that nobody has yet is waited for until ctx ends: a pod asks
// sooner than the cluster tells of its address.
func (d *directory) owner(ctx context.Context, client netip.Addr) (namespace string, known bool) {
	for {
		d.mu.Lock()
		changed := d.changed
		d.mu.Unlock()
		if namespace, known := d.ownerNow(client); known {
			return namespace, true
		}
		select {
		case <-ctx.Done():
			return "", false
		case <-changed:
		}
	}
}

// ownerNow takes the youngest of several: the others' ends are not told of yet.
func (d *directory) ownerNow(client netip.Addr) (namespace string, known bool) {
	all, err := d.pods.ByIndex(byAddress, client.String())
	if err != nil || len(all) == 0 {
		return "", false
	}
	youngest := slices.MaxFunc(all, func(a, b any) int {
		return a.(*core.Pod).CreationTimestamp.Compare(b.(*core.Pod).CreationTimestamp.Time)
	})
	return youngest.(*core.Pod).Namespace, true
}

// isPrivate reports whether a question is for the name of an app, whoever's it is. While it is not known what the server's domain
// is, all that may be one is.
func (d *directory) isPrivate(q *dns.Msg) bool {
	if !d.synced() {
		return lookup.IsBelow(internal, q)
	}
	return slices.ContainsFunc(d.services.ListIndexFuncValues(byZone), func(zone string) bool { return lookup.IsBelow(zone, q) })
}

// table gives the names of one stage.
func (d *directory) table(namespace string) lookup.Table {
	t := lookup.Table{}
	all, err := d.services.ByIndex(byNamespace, namespace)
	if err != nil {
		return t
	}
	for _, o := range all {
		var addresses []netip.Addr
		for _, ip := range o.(*core.Service).Spec.ClusterIPs {
			if a, err := netip.ParseAddr(ip); err == nil { // one may be None
				addresses = append(addresses, a)
			}
		}
		t[hostOf(o)] = addresses
	}
	return t
}

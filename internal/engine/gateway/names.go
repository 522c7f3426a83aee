//go:build linux

package gateway

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/lookup"
	"github.com/setopsco/setops/internal/setops"
)

// private is the zone that is answered here, and asked of nobody else.
const private = "internal."

// privateNames are those of one stage.
type privateNames struct {
	lookup.Table
	complete bool // there are no others
}

func (p *place) table() lookup.Table {
	t := lookup.Table{}
	for _, f := range p.fronts {
		if a, known := p.addressOf(f); known {
			t[dns.CanonicalName(f.Host)] = []netip.Addr{a}
		}
	}
	return t
}

// check refuses fronts that nobody could reach, or that would hide names of the world.
func (g *Gateways) check(fronts []engine.Front) error {
	suffix := ".internal"
	if g.cfg.Domain != "" {
		suffix = "." + strings.ToLower(g.cfg.Domain) + suffix
	}
	for _, f := range fronts {
		_, isName := dns.IsDomainName(f.Host)
		switch {
		case !isName || !strings.HasSuffix(strings.ToLower(f.Host), suffix):
			return fmt.Errorf("serve app %s: %q is no private name, which end in %s", f.App, f.Host, suffix)
		case f.App == "" || f.Protocol != setops.HTTP && f.Protocol != setops.TCP:
			return fmt.Errorf("serve %s: app %q with protocol %q cannot be served", f.Host, f.App, f.Protocol)
		case f.Port < 1 || f.Port > 65535:
			return fmt.Errorf("serve %s: %d is no port", f.Host, f.Port)
		case f.Port == namesPort && f.Protocol == setops.HTTP:
			return fmt.Errorf("serve %s: port %d of a gateway is for names", f.Host, f.Port)
		}
	}
	return nil
}

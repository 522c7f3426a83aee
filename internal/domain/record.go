package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/setops"
)

// Record is a record of DNS that somebody shall publish.
type Record struct {
	Name, Type string
	Values     []string
}

// Validation is the record by which whoever controls a domain says that an app shall have it. Name and value are HMACs
// of the stage, the app and the domain: nobody else can foretell them, and a record is worth nothing to another app. That
// of *.example.com stands at example.com.
func (s *Service) Validation(stage setops.StageRef, app, domain string) Record {
	base := strings.TrimPrefix(domain, "*.")
	return Record{
		Name: s.label("name", stage.ID, app, domain) + "." + base + ".", Type: "CNAME",
		Values: []string{s.label("value", stage.ID, app, domain) + ".validation." + s.Hosts.Domain + "."},
	}
}

// label is 64 bits of an HMAC: more than anybody can try, and short enough for long domains.
func (s *Service) label(parts ...string) string {
	mac := hmac.New(sha256.New, s.Key)
	for _, p := range parts {
		fmt.Fprintf(mac, "%d:%s", len(p), p)
	}
	return "_" + hex.EncodeToString(mac.Sum(nil)[:8])
}

// alternatives are the records of addresses that do the work of a CNAME where the domain can have none.
func (s *Service) alternatives(domain string) []Record {
	var all []Record
	for _, kind := range []struct {
		name string
		is   func(netip.Addr) bool
	}{{"A", netip.Addr.Is4}, {"AAAA", netip.Addr.Is6}} {
		r := Record{Name: domain, Type: kind.name}
		for _, a := range s.PublicAddresses {
			if kind.is(a.Unmap()) {
				r.Values = append(r.Values, a.Unmap().String())
			}
		}
		if len(r.Values) > 0 {
			slices.Sort(r.Values)
			all = append(all, r)
		}
	}
	return all
}

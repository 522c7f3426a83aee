package setops

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// Domain is a custom domain of an app. It routes nothing and has no certificate until it is validated, and it stays
// validated until it is destroyed.
type Domain struct {
	Primary   bool `json:"primary,omitempty"` // the app's other domains redirect to it, once it is validated, unless they are direct
	Validated bool `json:"validated,omitempty"`
	Direct    bool `json:"direct,omitempty"`    // it does not redirect to the primary domain, but answers by itself
	StaticIP  bool `json:"static_ip,omitempty"` // the owner publishes the server's addresses instead of a CNAME record
}

// Hosts names where apps answer by themselves. No two stages have a name in common outside themselves, whatever their
// organizations call them: names of the first organization have three labels before the domain, all others four.
type Hosts struct {
	Domain string // of the server
	First  string // the oldest organization of the server
}

// Default is where a public app answers: APP.STAGE.PROJECT.DOMAIN in the first organization, in others
// APP.STAGE.PROJECT.ORGANIZATION.DOMAIN.
func (h Hosts) Default(ref StageRef, app string) string {
	labels := []string{app, ref.Name, ref.Project}
	if ref.Organization != h.First {
		labels = append(labels, ref.Organization)
	}
	return strings.Join(append(labels, h.Domain), ".")
}

// Private is where an app answers inside its stage, and only there: so it needs no organization.
func (h Hosts) Private(ref StageRef, app string) string {
	return strings.Join([]string{app, ref.Name, ref.Project, h.Domain, "internal"}, ".")
}

const (
	domainMax = 253 // characters of a name in DNS
	labelMax  = 63  // and of what is between two dots
)

var domainLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// CanonicalDomain writes a domain as it is kept: in lower case, without a final dot, letters of other scripts as xn--.
// What cannot be written so comes back as it is, for CheckDomain to refuse. Doing it twice is doing it once.
func CanonicalDomain(name string) string {
	wildcard, rest := "", strings.TrimSpace(name)
	if strings.HasPrefix(rest, "*.") {
		wildcard, rest = "*.", rest[2:]
	}
	if !isASCII(rest) {
		ascii, err := idna.Lookup.ToASCII(rest)
		if err != nil {
			return name
		}
		rest = ascii
	}
	if short := strings.TrimSuffix(rest, "."); !strings.HasSuffix(short, ".") && short == strings.TrimSpace(short) {
		rest = short
	}
	return wildcard + strings.ToLower(rest)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// CheckDomain reports a name that cannot be a custom domain on any server: two labels at least, each of 1 to 63
// characters [a-z0-9-] without a dash at either end, 253 characters at most; `*.` in front makes it a wildcard. No IP
// addresses, and none of the names that never lead to a server on the internet. Names of a server's own domain are
// refused by package domain, which knows it.
func CheckDomain(name string) []Violation {
	v := Violation{Field: "domain"}
	labels := strings.Split(strings.TrimPrefix(name, "*."), ".")
	switch {
	case name == "":
		v.Validator, v.Message = Required, "a domain is needed, such as www.example.com"
	case len(name) > domainMax:
		v.Validator, v.Message = TooLong, fmt.Sprintf("a domain has at most %d characters", domainMax)
	case isAddress(name, labels):
		v.Validator, v.Message = InvalidFormat, name+" is an IP address; a domain is a name, such as www.example.com"
	case strings.Contains(strings.TrimPrefix(name, "*."), "*"):
		v.Validator, v.Message = InvalidFormat, "a wildcard stands for the whole first label and nothing else, as in *.example.com"
	case !allLabels(labels):
		v.Validator, v.Message = InvalidFormat, fmt.Sprintf("%q is no domain: between its dots are 1 to 63 letters, digits and dashes, "+
			"no dash first or last; other letters are written as xn--…", name)
	case isLocal(labels):
		v.Validator, v.Message = NotIncluded, name+" never leads to this server from outside; localhost and internal are kept for what is local"
	case len(labels) < 2:
		v.Validator, v.Message = InvalidFormat, fmt.Sprintf("%q is no whole domain; at least one dot is needed, as in www.example.com", name)
	default:
		return nil
	}
	return []Violation{v}
}

// isAddress also takes 256.1.1.1 and 1.2 for addresses: no domain ends in a number.
func isAddress(name string, labels []string) bool {
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	_, number := strconv.Atoi(labels[len(labels)-1])
	return err == nil || number == nil
}

func allLabels(labels []string) bool {
	for _, l := range labels {
		if len(l) > labelMax || !domainLabel.MatchString(l) {
			return false
		}
	}
	return true
}

func isLocal(labels []string) bool {
	top := labels[len(labels)-1]
	return top == "localhost" || top == "internal"
}

// IsWildcard tells *.example.com from example.com.
func IsWildcard(domain string) bool { return strings.HasPrefix(domain, "*.") }

// DomainTaken is the error about a domain that another app has validated. It does not say whose it is.
func DomainTaken(domain string) error {
	return InvalidInput(ValidationFailed, []Violation{{
		Field: "domain", Validator: Taken, Message: fmt.Sprintf("another app has validated %s; it is free again once it is destroyed there", domain),
	}})
}

package daemon

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/setopsco/setops/internal/setops"
)

var (
	domainShape       = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
	organizationShape = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
	rangeShape        = regexp.MustCompile(`^([0-9]{1,5})-([0-9]{1,5})$`)
	dockerShape       = regexp.MustCompile(`^(unix:///.+|tcp://[^/:]+:[0-9]+)$`)
	engines           = []string{auto, embeddedKind, dockerKind, kubernetesKind}
)

// refusals collects all that is wrong, so that it is told at once.
type refusals []error

func (r *refusals) where(bad bool, format string, args ...any) {
	if bad {
		*r = append(*r, fmt.Errorf(format, args...))
	}
}

// check says everything that is wrong with the values, each with the flag that sets it. It reads no file.
func (c *Config) check() error {
	var r refusals
	c.Domain = strings.ToLower(strings.TrimSuffix(c.Domain, "."))
	r.where(c.DataDir == "", "--data-dir is empty")
	r.where(!domainShape.MatchString(c.Domain) || len(c.Domain) > 190, "--domain %q is no domain name", c.Domain)
	r.where(!slices.Contains(engines, c.Engine), "--engine %q is none of %s", c.Engine, strings.Join(engines, ", "))
	r.where(c.DockerHost != "" && !dockerShape.MatchString(c.DockerHost),
		"--docker-host %q is neither unix:///PATH nor tcp://HOST:PORT", c.DockerHost)
	r.where(!organizationShape.MatchString(c.Organization) || len(c.Organization) > setops.OrganizationNameMax,
		"--organization %q is not made of lower-case letters and digits, a letter first, at most 63", c.Organization)
	r.where(!isEmail(c.AdminEmail), "--admin-email %q is no e-mail address", c.AdminEmail)
	c.AdminEmail = strings.ToLower(c.AdminEmail) // as those who sign in may write it either way
	c.checkCluster(&r)
	c.Bucket.check(&r)
	c.checkDatabase(&r)
	c.checkListeners(&r)
	c.checkTLS(&r)
	c.checkNetwork(&r)
	c.checkOIDC(&r)
	c.checkCleanUp(&r)
	c.checkPeople(&r)
	c.checkMail(&r)
	return errors.Join(r...)
}

func (c *Config) checkOIDC(r *refusals) {
	u, err := url.Parse(c.OIDCIssuer)
	local := err == nil && u.Scheme == "http" && isLoopback(net.JoinHostPort(u.Hostname(), "80"))
	r.where(c.OIDCIssuer != "" && !local && (err != nil || u.Scheme != "https" || u.Host == ""),
		"--oidc-issuer %q is no URL that begins with https://", c.OIDCIssuer)
	r.where(c.OIDCIssuer != "" && (c.OIDCClientID == "" || c.OIDCSecretFile == ""),
		"--oidc-issuer needs --oidc-client-id and --oidc-client-secret-file")
	r.where(c.OIDCIssuer == "" && (c.OIDCClientID != "" || c.OIDCSecretFile != "" || c.OIDCDomains != ""),
		"--oidc-client-id, --oidc-client-secret-file and --oidc-domains need --oidc-issuer")
	c.settings.oidcDomains = nil
	for _, domain := range list(c.OIDCDomains) {
		domain = strings.ToLower(domain)
		r.where(!domainShape.MatchString(domain), "--oidc-domains %q is no domain name", domain)
		c.settings.oidcDomains = append(c.settings.oidcDomains, domain)
	}
}

func (c *Config) checkCleanUp(r *refusals) {
	r.where(c.GCInterval < 0, "--gc-interval %s is negative; 0 lets only `setopsd gc` clean up", c.GCInterval)
	r.where(c.GCKeepAge < 0, "--gc-keep-age %s is negative; 0 keeps by number alone", c.GCKeepAge)
	r.where(c.GCKeepCommits < 0, "--gc-keep-commits %d is negative; 0 keeps by age alone", c.GCKeepCommits)
	r.where(c.GCKeepReleases < 0, "--gc-keep-releases %d is negative; 0 keeps by age alone", c.GCKeepReleases)
}

func (c *Config) checkPeople(r *refusals) {
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	u, err := url.Parse(c.PublicURL)
	r.where(c.PublicURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != ""),
		"--public-url %q is no URL of a server; write https://HOST", c.PublicURL)
	r.where(c.AuditKeepAge < 0, "--audit-keep-age %s is negative; write it in hours, as 9600h for 400 days", c.AuditKeepAge)
}

// isEmail takes an address without a name in front.
func isEmail(s string) bool {
	address, err := mail.ParseAddress(s)
	return err == nil && address.Address == s
}

func (c *Config) checkListeners(r *refusals) {
	for _, l := range c.listenFlags() {
		_, _, err := net.SplitHostPort(l.address)
		r.where(err != nil, "--%s %q is no address; write HOST:PORT, as 127.0.0.1:7700", l.flag, l.address)
	}
	r.where(!isLoopback(c.Listen) && c.HTTPSListen == "" && !c.Insecure,
		"--listen %s is not a loopback address, and passwords would travel in clear; set --https-listen, with which it speaks "+
			"TLS, or put a server that speaks TLS in front of 127.0.0.1; --insecure allows it where nobody listens in", c.Listen)
}

// listenFlag is an address that the server listens at, and the flag that says so.
type listenFlag struct{ flag, address string }

func (c *Config) listenFlags() []listenFlag {
	all := []listenFlag{{"listen", c.Listen}, {"http-listen", c.HTTPListen}}
	if c.HTTPSListen != "" {
		all = append(all, listenFlag{"https-listen", c.HTTPSListen})
	}
	return all
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (c *Config) checkTLS(r *refusals) {
	r.where(c.ACMEEmail != "" && !isEmail(c.ACMEEmail), "--acme-email %q is no e-mail address", c.ACMEEmail)
	if c.ACMEDirectory == "" {
		c.ACMEDirectory = defaultDirectory
	}
	u, err := url.Parse(c.ACMEDirectory)
	r.where(c.ACMEDirectory != localAuthority && (err != nil || u.Scheme != "https" || u.Host == ""),
		"--acme-directory %q is neither a URL that begins with https:// nor %s", c.ACMEDirectory, localAuthority)
	if isLocal(c.Domain) {
		c.ACMEDirectory = localAuthority // no other authority knows these names
	}
}

// isLocal reports whether a domain leads every machine to itself.
func isLocal(domain string) bool {
	return domain == "localhost" || strings.HasSuffix(domain, ".localhost")
}

func (c *Config) checkNetwork(r *refusals) {
	c.checkPorts(r)
	c.settings.proxies = nil
	for _, text := range list(c.TrustedProxies) {
		p, err := parsePrefix(text)
		r.where(err != nil, "--trusted-proxies %q is no network; write ADDRESS/BITS, as 10.0.0.0/8", text)
		c.settings.proxies = append(c.settings.proxies, p)
	}
	c.settings.addresses = nil
	for _, text := range list(c.PublicAddresses) {
		ip, err := netip.ParseAddr(text)
		r.where(err != nil || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "",
			"--public-addresses %q is no address that others can reach; write it as 192.0.2.1", text)
		c.settings.addresses = append(c.settings.addresses, ip)
	}
	if c.DNSResolver != "" {
		host, port, err := net.SplitHostPort(c.DNSResolver)
		r.where(err != nil || host == "" || !isPort(port), "--dns-resolver %q is no address; write HOST:PORT, as 192.0.2.1:53", c.DNSResolver)
	}
}

// checkPorts reads LOW-HIGH, where the server's own ports are not. Empty means that no app gets a port.
func (c *Config) checkPorts(r *refusals) {
	c.settings.ports = portRange{}
	if c.TCPPorts == "" {
		return
	}
	m := rangeShape.FindStringSubmatch(c.TCPPorts)
	if m == nil || !isPort(m[1]) || !isPort(m[2]) {
		r.where(true, "--tcp-ports %q is no range of ports; write LOW-HIGH, as %s", c.TCPPorts, defaultPorts)
		return
	}
	low, _ := strconv.Atoi(m[1])
	high, _ := strconv.Atoi(m[2])
	r.where(low > high, "--tcp-ports %s begins behind its end", c.TCPPorts)
	for _, l := range c.listenFlags() {
		_, port, _ := net.SplitHostPort(l.address)
		n, _ := strconv.Atoi(port)
		r.where(low <= n && n <= high, "--tcp-ports %s has the port of --%s %s in it", c.TCPPorts, l.flag, l.address)
	}
	c.settings.ports = portRange{low, high}
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 1 && n <= 65535
}

// parsePrefix takes a single address too.
func parsePrefix(s string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// list splits at commas; blanks around them are no part of the elements.
func list(s string) []string {
	var all []string
	for _, element := range strings.Split(s, ",") {
		if element = strings.TrimSpace(element); element != "" {
			all = append(all, element)
		}
	}
	return all
}

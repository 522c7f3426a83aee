package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/setopsco/setops/internal/edge/space"
	"github.com/setopsco/setops/internal/kube"
)

// Config is what `setopsd serve` can be told: each field is a flag, lists are separated by commas, empty is "none" or
// "the default" as the flag says.
type Config struct {
	DataDir           string
	Database          string // URL of PostgreSQL; empty: SQLite in DataDir
	KeyFile           string // key that seals values; empty: one in DataDir
	Instance          string // 8 hexadecimal digits; empty: those in DataDir, or in Database where that is a cluster's
	AdvertiseAddress  string // HOST:PORT where other servers reach Listen; empty: Listen
	Listen            string // API and registry
	HTTPListen        string // router
	HTTPSListen       string // router with TLS; empty: no TLS
	Insecure          bool   // Listen may speak in clear to other machines
	Domain            string
	ACMEEmail         string
	ACMEDirectory     string // a URL, or localAuthority
	ACMERoots         string // file
	Certificates      string // directory
	TCPPorts          string // LOW-HIGH
	TrustedProxies    string
	PublicAddresses   string
	DNSResolver       string
	Engine            string
	DockerHost        string
	Kubeconfig        string // file; empty: this server runs in the cluster
	Namespace         string // of what the operator has put beside this server; empty: its own
	ClusterDomain     string // what the cluster calls itself in DNS; empty: as the resolver of this server is told
	RegistryAddress   string // that nodes pull from; empty: RegistryListen, or api.Domain
	RegistryListen    string // the registry in clear, for nodes; empty: they use the API's address
	PodSecurity       string // baseline or restricted
	RestrictedStages  string // ORGANIZATION/PROJECT/STAGE,…, that are restricted whatever PodSecurity says
	RouterNetworks    string // networks, separated by commas
	Routing           string // who leads requests to tasks on a cluster
	Gateway           string // NAMESPACE/NAME; empty: the only one that can be used
	IngressClass      string // empty: the cluster's default one
	CertManagerIssuer string // empty: no certificates are ordered for Ingresses
	TCPServices       string // who takes connections to public apps of protocol tcp on a cluster
	RouterNamespace   string // of the routers that run beside this server
	Organization      string
	AdminEmail        string
	AdminPasswordFile string
	OIDCIssuer        string // URL; empty: this server alone knows who its users are
	OIDCClientID      string
	OIDCSecretFile    string
	OIDCDomains       string
	SMTP              string // address of the server that mail is sent through; empty: none is
	SMTPUser          string
	SMTPPasswordFile  string
	SMTPFrom          string
	SMTPEncryption    string
	PublicURL         string        // where users reach the API; empty: as the listeners say
	AuditKeepAge      time.Duration // of events of the audit log; 0: they are kept for ever
	GCInterval        time.Duration // 0: the server does not clean up by itself
	GCKeepAge         time.Duration
	GCKeepCommits     int // of each stage
	GCKeepReleases    int // of each app

	Bucket   BucketConfig
	settings settings // what check and read have made of the above
}

// What flags are where nobody sets them.
const (
	defaultDirectory = "https://acme-v02.api.letsencrypt.org/directory"
	defaultPorts     = "20000-20099"

	defaultAuditKeepAge   = 400 * 24 * time.Hour
	defaultGCInterval     = 24 * time.Hour
	defaultGCKeepAge      = 90 * 24 * time.Hour
	defaultGCKeepCommits  = 100
	defaultGCKeepReleases = 50
)

// localAuthority is the ACME directory that is none: a certificate authority of this server's own.
const localAuthority = "local"

// Flags declares the flags of Config with their defaults.
func (c *Config) Flags(f *pflag.FlagSet) {
	f.StringVar(&c.DataDir, "data-dir", defaultDataDir(), "directory that holds everything: database, key, images, tasks, logs")
	f.StringVar(&c.Database, "database", "", "URL of a PostgreSQL database, postgres://USER@HOST:PORT/DATABASE (default: SQLite in the data directory)")
	f.StringVar(&c.KeyFile, "key-file", "", "file with the key that seals values of env: 32 bytes in hexadecimal, mode 0600 (default: the file key in the data directory)")
	f.StringVar(&c.Instance, "instance", "", "id of the installation, 8 hexadecimal digits, by which its objects are known (default: the data directory's; the first start makes one)")
	f.StringVar(&c.AdvertiseAddress, "advertise-address", "", "HOST:PORT where other servers of the same database reach --listen (default: --listen)")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:7700", "address of the API and the image registry")
	f.StringVar(&c.HTTPListen, "http-listen", "127.0.0.1:8080", "address of the router, where apps answer")
	f.StringVar(&c.HTTPSListen, "https-listen", "", "address of the router for TLS; API and registry answer there too, at api.DOMAIN (default: no TLS)")
	f.BoolVar(&c.Insecure, "insecure", false, "let --listen speak in clear to other machines: passwords and images can be read on the way")
	f.StringVar(&c.Domain, "domain", "localhost", "public apps answer at APP.STAGE.PROJECT.DOMAIN")
	f.StringVar(&c.ACMEEmail, "acme-email", "", "e-mail address that the certificate authority may write to")
	f.StringVar(&c.ACMEDirectory, "acme-directory", defaultDirectory,
		"URL of the certificate authority's ACME directory, or "+localAuthority+" for one of this server's own, as on localhost")
	f.StringVar(&c.ACMERoots, "acme-roots", "", "PEM file with the certificates that the ACME directory is trusted by (default: the system's)")
	f.StringVar(&c.Certificates, "certificates", "", "directory with certificates to be used, NAME.crt and NAME.key each, read at start and reload")
	f.StringVar(&c.TCPPorts, "tcp-ports", defaultPorts, "ports for public apps of protocol tcp, LOW-HIGH, on the host of --http-listen")
	f.StringVar(&c.TrustedProxies, "trusted-proxies", "", "networks, as 10.0.0.0/8,…, of proxies whose Forwarded and X-Forwarded-* headers are believed")
	f.StringVar(&c.PublicAddresses, "public-addresses", "", "addresses, separated by commas, that the world reaches the router at: `domain` shows them")
	f.StringVar(&c.DNSResolver, "dns-resolver", "", "HOST:PORT of the name server that validates custom domains (default: the system's)")
	f.StringVar(&c.Engine, "engine", "auto", "what runs containers: "+strings.Join(engines, ", "))
	f.StringVar(&c.DockerHost, "docker-host", "", "address of Docker Engine, as unix:///var/run/docker.sock (default: DOCKER_HOST, or that)")
	c.clusterFlags(f)
	c.Bucket.flags(f)
	f.StringVar(&c.Organization, "organization", "demo", "organization that the first start makes")
	f.StringVar(&c.AdminEmail, "admin-email", "admin@localhost", "e-mail address of the admin that the first start makes")
	f.StringVar(&c.AdminPasswordFile, "admin-password-file", "", "file with the admin's password, read at the first start only (default: one is generated)")
	c.oidcFlags(f)
	f.StringVar(&c.PublicURL, "public-url", "", "URL at which users reach the API, as https://setops.example.net: links that are sent begin with it (default: https://api.DOMAIN, or --listen without TLS)")
	f.DurationVar(&c.AuditKeepAge, "audit-keep-age", defaultAuditKeepAge, "events of the audit log that are older are removed; in hours, as 9600h for 400 days; 0: none are")
	c.mailFlags(f)
	c.cleanUpFlags(f)
}

func (c *Config) oidcFlags(f *pflag.FlagSet) {
	f.StringVar(&c.OIDCIssuer, "oidc-issuer", "", "URL of an OpenID Connect provider that users may sign in with (default: none)")
	f.StringVar(&c.OIDCClientID, "oidc-client-id", "", "id by which that provider knows this server")
	f.StringVar(&c.OIDCSecretFile, "oidc-client-secret-file", "", "file with the secret that belongs to --oidc-client-id, readable by its owner alone")
	f.StringVar(&c.OIDCDomains, "oidc-domains", "", "domains, separated by commas, of e-mail addresses that the provider may vouch for (default: all)")
}

func (c *Config) clusterFlags(f *pflag.FlagSet) {
	f.StringVar(&c.Kubeconfig, "kubeconfig", "", "file that says where the cluster of --engine kubernetes is (default: the one that this server runs in)")
	f.StringVar(&c.Namespace, "namespace", "", "namespace of the cluster with what belongs to this server, as its name server (default: the one that this server runs in, or "+kube.DefaultNamespace+")")
	f.StringVar(&c.ClusterDomain, "cluster-domain", "", "what the cluster calls itself in DNS (default: as this server's resolv.conf has it, or cluster.local)")
	f.StringVar(&c.RegistryAddress, "registry-address", "", "HOST:PORT that nodes of the cluster pull images from (default: --registry-listen, or api.DOMAIN)")
	f.StringVar(&c.RegistryListen, "registry-listen", "", "address of the image registry alone, in clear, for nodes of a cluster that trust it")
	f.StringVar(&c.PodSecurity, "pod-security", podsBaseline, "standard that tasks on a cluster must satisfy: "+podsBaseline+", or "+podsRestricted+", where no image runs as root")
	f.StringVar(&c.RestrictedStages, "restricted-stages", "", "stages that --pod-security "+podsRestricted+" holds for, ORGANIZATION/PROJECT/STAGE,…, each of them with * for any part of a name, as demo/*/prod*")
	f.StringVar(&c.Routing, "routing", routingServer, "what leads requests to tasks on a cluster: "+strings.Join(routings, ", "))
	f.StringVar(&c.Gateway, "gateway", "", "NAMESPACE/NAME of the Gateway of --routing "+routingGateway+" (default: the only one that lets in routes of stages)")
	f.StringVar(&c.IngressClass, "ingress-class", "", "class of the Ingresses of --routing "+routingIngress+" (default: the cluster's default class)")
	f.StringVar(&c.CertManagerIssuer, "cert-manager-issuer", "", "ClusterIssuer of cert-manager that the certificates of these Ingresses are ordered from (default: none are ordered)")
	f.StringVar(&c.TCPServices, "tcp-services", tcpByServer, "what takes connections to public apps of protocol tcp on a cluster, at the ports of --tcp-ports: "+strings.Join(tcpServices, ", "))
	f.StringVar(&c.RouterNamespace, "router-namespace", space.DefaultNamespace, "namespace of the routers of --routing "+routingRouter+", where this server publishes what they do")
	f.StringVar(&c.RouterNetworks, "router-networks", "", "networks, as 10.0.0.0/8,…, that this server calls tasks on a cluster from, where it does not run in it")
}

func (c *Config) cleanUpFlags(f *pflag.FlagSet) {
	f.DurationVar(&c.GCInterval, "gc-interval", defaultGCInterval, "how often old commits, releases and images are removed; 0: only by setopsd gc")
	f.DurationVar(&c.GCKeepAge, "gc-keep-age", defaultGCKeepAge, "commits and releases that are younger are kept; in hours, as 2160h for 90 days")
	f.IntVar(&c.GCKeepCommits, "gc-keep-commits", defaultGCKeepCommits, "so many of the newest commits of each stage are kept, however old")
	f.IntVar(&c.GCKeepReleases, "gc-keep-releases", defaultGCKeepReleases, "so many of the newest releases of each app are kept, however old")
}

func defaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/setops"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "setops")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "setops-data"
	}
	return filepath.Join(home, ".local", "share", "setops")
}

// Fill sets the flags that the command line left alone: from SETOPSD_…, then from the YAML file that path names.
func Fill(f *pflag.FlagSet, path string, getenv func(string) string) error {
	file, err := readFile(path)
	if err != nil {
		return err
	}
	for name := range file {
		if f.Lookup(name) == nil || name == "config" {
			return fmt.Errorf("%s: there is no setting %q; the settings are %s", path, name, strings.Join(settingNames(f), ", "))
		}
	}
	var all []error
	f.VisitAll(func(flag *pflag.Flag) {
		value, source := getenv(Variable(flag.Name)), Variable(flag.Name)
		if value == "" {
			value, source = file[flag.Name], path+": "+flag.Name
		}
		if flag.Changed || value == "" {
			return
		}
		if err := f.Set(flag.Name, value); err != nil {
			all = append(all, fmt.Errorf("%s: %w", source, err))
		}
	})
	return errors.Join(all...)
}

// Variable is the environment variable of a flag.
func Variable(flag string) string {
	return "SETOPSD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func readFile(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	settings := map[string]string{}
	if err := yaml.Unmarshal(text, &settings); err != nil {
		return nil, fmt.Errorf("read configuration %s: it is no YAML of names and values: %w", path, err)
	}
	return settings, nil
}

func settingNames(f *pflag.FlagSet) []string {
	var all []string
	f.VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "config" && flag.Name != "help" {
			all = append(all, flag.Name)
		}
	})
	return all
}

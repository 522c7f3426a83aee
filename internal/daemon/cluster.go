package daemon

import (
	"context"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/kube"
)

var namespaceShape = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Values of --pod-security.
const (
	podsBaseline   = "baseline"
	podsRestricted = "restricted"
)

// Values of --routing.
const (
	routingServer  = "server"  // the router in this process
	routingRouter  = "router"  // those of `setopsd router`, in the cluster
	routingIngress = "ingress" // a controller of the cluster, by an Ingress per app
	routingGateway = "gateway" // a Gateway of the cluster
)

// Values of --tcp-services.
const (
	tcpByServer       = "server"       // this process listens
	tcpByLoadBalancer = "loadbalancer" // a Service per app, of that type
	tcpByNodePort     = "nodeport"
)

var (
	tcpServices  = []string{tcpByServer, tcpByLoadBalancer, tcpByNodePort}
	routings     = []string{routingServer, routingRouter, routingIngress, routingGateway, auto}
	gatewayShape = regexp.MustCompile(`^[a-z0-9-]+/[a-z0-9.-]+$`)
)

// cluster is what the flags say of the cluster of --engine kubernetes.
func (c *Config) cluster() ClusterConfig {
	return ClusterConfig{
		Kubeconfig: c.Kubeconfig, Namespace: kube.Namespace(c.Namespace), Domain: kube.Domain(c.ClusterDomain), Registry: c.registryAddress(), Listen: c.RegistryListen,
		Restricted: c.restricted, Callers: c.settings.callers,
		Routing: c.Routing, Gateway: c.Gateway, IngressClass: c.IngressClass, Issuer: c.CertManagerIssuer, TCP: c.TCPServices,
		Low: c.settings.ports.low, High: c.settings.ports.high,
	}
}

// led is what --routing auto was taken for.
type led struct{ by, gateway, class, because string }

// openRouting finds out what --routing auto stands for on this cluster, before anything depends on it.
func (c *core) openRouting(ctx context.Context) (err error) {
	if c.Config.Engine == kubernetesKind && c.Config.Routing == auto {
		c.led, err = chooseRouting(ctx, c.Config.cluster(), c.Config.RouterNamespace, c.instance)
	}
	return err
}

// routing is what leads requests to apps, as --routing has it.
func (c *core) routing() string {
	if c.led != nil {
		return c.led.by
	}
	return c.Config.Routing
}

// clusterConfig is that of the server that keeps the tasks.
func (c *core) clusterConfig() ClusterConfig {
	config := c.Config.cluster()
	if c.led != nil {
		config.Routing, config.Gateway, config.IngressClass, config.Because = c.led.by, c.led.gateway, c.led.class, c.led.because
	}
	if c.sharesCluster() {
		config.Holds = c.holds
	}
	return config
}

// registryAddress is what nodes pull from: empty where nothing says so, and nothing that they could use is served.
func (c *Config) registryAddress() string {
	switch {
	case c.RegistryAddress != "":
		return c.RegistryAddress
	case c.RegistryListen != "":
		return c.RegistryListen
	case c.HTTPSListen == "":
		return ""
	}
	if _, port, _ := net.SplitHostPort(c.HTTPSListen); port != "443" { // it was checked
		return net.JoinHostPort(c.apiHost(), port)
	}
	return c.apiHost()
}

func (c *Config) checkCluster(r *refusals) {
	r.where(c.Namespace != "" && !namespaceShape.MatchString(c.Namespace), "--namespace %q is no name of a namespace", c.Namespace)
	r.where(c.ClusterDomain != "" && !domainShape.MatchString(c.ClusterDomain), "--cluster-domain %q is no domain name", c.ClusterDomain)
	if c.PodSecurity == "" {
		c.PodSecurity = podsBaseline
	}
	r.where(c.PodSecurity != podsBaseline && c.PodSecurity != podsRestricted,
		"--pod-security %q is neither %s nor %s", c.PodSecurity, podsBaseline, podsRestricted)
	if c.Routing == "" {
		c.Routing = routingServer
	}
	r.where(!slices.Contains(routings, c.Routing), "--routing %q is none of %s", c.Routing, strings.Join(routings, ", "))
	r.where(c.IngressClass != "" && !domainShape.MatchString(c.IngressClass), "--ingress-class %q is no name of an IngressClass", c.IngressClass)
	r.where(c.Routing != routingIngress && c.Routing != auto && (c.IngressClass != "" || c.CertManagerIssuer != ""),
		"--ingress-class and --cert-manager-issuer are for --routing %s", routingIngress)
	r.where(c.Gateway != "" && !gatewayShape.MatchString(c.Gateway), "--gateway %q names no Gateway; write NAMESPACE/NAME", c.Gateway)
	r.where(c.Gateway != "" && c.Routing != routingGateway && c.Routing != auto, "--gateway is for --routing %s", routingGateway)
	r.where(c.Routing == routingRouter && c.Engine != kubernetesKind, "--routing %s needs --engine %s", routingRouter, kubernetesKind)
	r.where((c.Routing == routingRouter || c.Routing == auto) && !namespaceShape.MatchString(c.RouterNamespace), "--router-namespace %q is no name of a namespace", c.RouterNamespace)
	if c.TCPServices == "" {
		c.TCPServices = tcpByServer
	}
	r.where(!slices.Contains(tcpServices, c.TCPServices), "--tcp-services %q is none of %s", c.TCPServices, strings.Join(tcpServices, ", "))
	r.where(c.TCPServices != tcpByServer && c.Engine != kubernetesKind, "--tcp-services %s needs --engine %s", c.TCPServices, kubernetesKind)
	c.checkRestricted(r)
	c.settings.callers = nil
	for _, text := range list(c.RouterNetworks) {
		network, err := parsePrefix(text)
		c.settings.callers = append(c.settings.callers, network.String())
		r.where(err != nil, "--router-networks %q is no network; write ADDRESS/BITS, as 10.0.0.0/8", text)
	}
	c.checkServers(r)
	if c.RegistryListen != "" {
		host, port, err := net.SplitHostPort(c.RegistryListen)
		r.where(err != nil || host == "" || !isPort(port), "--registry-listen %q is no address; write HOST:PORT, as 192.0.2.1:5000", c.RegistryListen)
	}
	r.where(c.Engine == kubernetesKind && c.registryAddress() == "",
		"--engine kubernetes needs an address that nodes can pull images from: set --https-listen, --registry-address or --registry-listen")
}

// checkServers is about several servers of one cluster.
func (c *Config) checkServers(r *refusals) {
	r.where(c.Instance != "" && !instanceShape.MatchString(c.Instance),
		"--instance %q is not 8 hexadecimal digits; `openssl rand -hex 4` makes some", c.Instance)
	if c.AdvertiseAddress != "" {
		host, port, err := net.SplitHostPort(c.AdvertiseAddress)
		r.where(err != nil || host == "" || !isPort(port), "--advertise-address %q is no address; write HOST:PORT, as 10.0.0.7:7700", c.AdvertiseAddress)
	}
}

package api

// Domain is one address of an app, as GET …/apps/{app}/domains lists them.
type Domain struct {
	Address           string      `json:"address"`
	Kind              string      `json:"kind" enum:"custom,default,private" doc:"Custom ones are the app's own; each app has a default and a private one besides"`
	Primary           bool        `json:"primary" doc:"The others redirect to it, once it is validated"`
	Validated         bool        `json:"validated" doc:"Until it is, nothing is served there"`
	StaticIP          bool        `json:"static_ip" doc:"Its owner publishes addresses instead of a CNAME record"`
	RedirectToPrimary bool        `json:"redirect_to_primary" doc:"Whether it redirects to the primary domain, where there is one and it is another"`
	Record            *DNSRecord  `json:"record,omitempty" doc:"Custom: leads to this server"`
	Alternatives      []DNSRecord `json:"alternatives,omitempty" doc:"Custom: what leads to it too, where its addresses are known"`
	Validation        *DNSRecord  `json:"validation,omitempty" doc:"Custom: proves whose it is"`
	Port              int         `json:"port,omitempty" doc:"Default domain of a public tcp app: its port outside; private domain: the port inside"`
	Public            bool        `json:"public" doc:"Whether the app is public: otherwise only its private domain answers"`
	Certificate       *DomainTLS  `json:"certificate,omitempty" doc:"Where a certificate is wanted"`
}

// DNSRecord is a record to publish in DNS.
type DNSRecord struct {
	Name   string   `json:"name"`
	Type   string   `json:"type" enum:"CNAME,A,AAAA"`
	Values []string `json:"values"`
}

// DomainTLS is how far the certificate of a domain is.
type DomainTLS struct {
	State  string `json:"state" enum:"ready,ordering,failed"`
	Reason string `json:"reason,omitempty" doc:"Why it failed"`
}

package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

// Domains prints the domains of an app, a block each; say gives the lines that explain one.
func Domains(w io.Writer, domains []api.Domain, say func(api.Domain) []string) error {
	if _, err := fmt.Fprintf(w, "%d Domain(s) configured.\n", len(domains)); err != nil {
		return err
	}
	for _, d := range domains {
		if _, err := fmt.Fprintf(w, "\n\nDomain %s\n", d.Address); err != nil {
			return err
		}
		if err := domain(w, d, say(d)); err != nil {
			return err
		}
	}
	return nil
}

func domain(w io.Writer, d api.Domain, explanation []string) error {
	b := new(Block).Add("Primary", d.Primary).Add("Validated", d.Validated)
	if d.Port > 0 && d.Kind == "default" {
		b.Add("Port", d.Port)
	}
	if d.Certificate != nil {
		b.Add("Certificate", certificate(*d.Certificate))
	}
	if err := b.write(w, indent, ""); err != nil {
		return err
	}
	if len(explanation) > 0 {
		if _, err := fmt.Fprintf(w, "\n%s%s\n", indent, strings.Join(explanation, "\n"+indent)); err != nil {
			return err
		}
	}
	if d.Record != nil {
		if err := records(w, "Custom Domain Record(s)", *d.Record, d.Alternatives); err != nil {
			return err
		}
	}
	if d.Validation != nil {
		return records(w, "Validation Record(s)", *d.Validation, nil)
	}
	return nil
}

func certificate(c api.DomainTLS) string {
	if c.Reason == "" {
		return c.State
	}
	return c.State + " (" + OneLine(c.Reason) + ")"
}

// records prints a record of DNS and those that do the same.
func records(w io.Writer, title string, r api.DNSRecord, alternatives []api.DNSRecord) error {
	b := new(Block).Add("Name", r.Name).Add("Type", r.Type).Add("Value", strings.Join(r.Values, ","))
	for _, a := range alternatives {
		b.Add("Alternative Type", a.Type).Add("Alternative Values", strings.Join(a.Values, ","))
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return new(Block).Nest(title, b).write(w, indent, "")
}

// CustomDomains prints custom domains as a table.
func CustomDomains(w io.Writer, domains []api.CustomDomain) error {
	rows := make([][]string, 0, len(domains))
	for _, d := range domains {
		rows = append(rows, []string{d.Address, strconv.FormatBool(d.Primary), strconv.FormatBool(d.Validated)})
	}
	return Table(w, []string{"Address", "Primary", "Validated"}, rows)
}

// CustomDomainEffects prints the custom domains that staged commands touch, as they will be.
func CustomDomainEffects(w io.Writer, effects []api.Effect) error {
	var domains []api.CustomDomain
	for _, e := range effects {
		if e.CustomDomain != nil {
			domains = append(domains, *e.CustomDomain)
		}
	}
	return CustomDomains(w, domains)
}

func domainEffect(b *Block, e api.Effect) {
	if e.Primary != nil {
		b.Add("Primary", *e.Primary)
	}
	if e.RedirectToPrimary != nil {
		b.Add("Redirect To Primary", *e.RedirectToPrimary)
	}
	if e.StaticIP != nil {
		b.Add("Static IP", *e.StaticIP)
	}
}

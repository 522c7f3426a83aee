package render

// Paint colours text for a terminal; false leaves it as it is. Only names that render gives itself and single lines may be
// painted: a colour must end on the line where it begins.
type Paint bool

// Red is for what goes and what is lost.
func (p Paint) Red(text string) string { return p.with("31", text) }

// Green is for what comes.
func (p Paint) Green(text string) string { return p.with("32", text) }

// Yellow is for what changes.
func (p Paint) Yellow(text string) string { return p.with("33", text) }

// Bold is for headings.
func (p Paint) Bold(text string) string { return p.with("1", text) }

func (p Paint) with(code, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

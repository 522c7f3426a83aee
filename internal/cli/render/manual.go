package render

import (
	"bytes"
	"regexp"
	"strings"
)

// Manual lays out a page of the manual, which is Markdown, as text of at most width columns: headings in bold or underlined, code
// indented, tables in columns. What a terminal cannot show, such as anchors, is left out.
//
// It knows as much of Markdown as the manual is written in. A parser for all of it would cost every start of the program a
// millisecond.
func Manual(markdown string, paint Paint, width int) string {
	m := &manual{paint: paint}
	m.blocks(strings.Split(markdown, "\n"), "", width)
	return m.out.String()
}

type manual struct {
	paint Paint
	out   bytes.Buffer
}

// codeIndent sets code apart from sentences.
const codeIndent = "    "

// blocks lays out lines, one block after the other.
func (m *manual) blocks(lines []string, indent string, width int) {
	for len(lines) > 0 {
		line := strings.TrimSpace(lines[0])
		n := 1
		switch {
		case line == "" || strings.HasPrefix(line, "<"): // a comment or an anchor
		case strings.HasPrefix(line, "#"):
			m.heading(line)
		case strings.HasPrefix(line, "```"):
			n = m.code(lines, indent)
		case strings.HasPrefix(line, "|"):
			n = count(lines, func(l string) bool { return strings.HasPrefix(l, "|") })
			m.table(lines[:n], indent, width)
		case marker(line) != "":
			n = m.list(lines, indent, width)
		default:
			n = max(1, count(lines, func(l string) bool { return !startsBlock(l) }))
			m.fold(m.words(strings.Join(lines[:n], " ")), indent, indent, width)
			m.out.WriteString("\n")
		}
		lines = lines[n:]
	}
}

// count says how many lines, from the first one on, are of a kind; they are asked about without blanks around them.
func count(lines []string, is func(string) bool) int {
	for i, line := range lines {
		if !is(strings.TrimSpace(line)) {
			return i
		}
	}
	return len(lines)
}

func startsBlock(line string) bool {
	return line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "```") || strings.HasPrefix(line, "|") || marker(line) != ""
}

// marker is how an item of a list begins, "- " or "12. ", empty for any other line.
func marker(line string) string {
	if strings.HasPrefix(line, "- ") {
		return "- "
	}
	digits := len(line) - len(strings.TrimLeft(line, "0123456789"))
	if digits > 0 && digits < 4 && strings.HasPrefix(line[digits:], ". ") {
		return line[:digits+2]
	}
	return ""
}

func (m *manual) heading(line string) {
	title := strings.TrimLeft(line, "#")
	level := len(line) - len(title)
	text := plain(m.words(title))
	m.out.WriteString(m.paint.Bold(text) + "\n")
	if under := map[int]string{1: "=", 2: "-"}[level]; under != "" && !bool(m.paint) {
		m.out.WriteString(strings.Repeat(under, columns(text)) + "\n")
	}
	m.out.WriteString("\n")
}

// code writes lines as they are, without what they share with the fence, and says how many there were.
func (m *manual) code(lines []string, indent string) int {
	outer := lines[0][:strings.Index(lines[0], "```")]
	inside := 1 + count(lines[1:], func(l string) bool { return !strings.HasPrefix(l, "```") })
	for _, line := range lines[1:inside] {
		m.out.WriteString(strings.TrimRight(indent+codeIndent+strings.TrimPrefix(line, outer), " ") + "\n")
	}
	m.out.WriteString("\n")
	return min(inside+1, len(lines))
}

// list lays out the items of a list, each with what is indented below it, and says how many lines there were.
func (m *manual) list(lines []string, indent string, width int) int {
	own := depth(lines[0])
	n := 0
	for n < len(lines) && depth(lines[n]) == own && marker(strings.TrimSpace(lines[n])) != "" {
		item := 1
		for n+item < len(lines) && belongs(lines[n+item:], own) {
			item++
		}
		m.item(lines[n:n+item], indent, width)
		n += item
	}
	if indent == "" {
		m.out.WriteString("\n")
	}
	return n
}

func depth(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// belongs says whether the next line is part of an item whose marker is that deep: it is deeper, or goes on with its sentence.
func belongs(next []string, own int) bool {
	line := strings.TrimSpace(next[0])
	if line == "" {
		return len(next) > 1 && strings.TrimSpace(next[1]) != "" && depth(next[1]) > own
	}
	return depth(next[0]) > own || !startsBlock(line)
}

func (m *manual) item(lines []string, indent string, width int) {
	mark := marker(strings.TrimSpace(lines[0]))
	deeper := indent + strings.Repeat(" ", len(mark))
	sentence := 1 + count(lines[1:], func(l string) bool { return !startsBlock(l) })
	text := strings.TrimPrefix(strings.TrimSpace(strings.Join(lines[:sentence], " ")), mark)
	m.fold(m.words(text), indent+mark, deeper, width)
	if sentence < len(lines) && strings.TrimSpace(lines[sentence]) == "" {
		m.out.WriteString("\n")
	}
	m.blocks(lines[sentence:], deeper, width)
}

// A word is what no line is broken within.
type word struct {
	text string // as it is measured
	show string // with its colour
	glue bool   // it belongs to the word before, without a space
}

// inline finds what is marked in a sentence: code, bold text, links, characters that stand for themselves.
const inline = "`([^`]+)`" + `|\*\*(.+?)\*\*|\[([^\]]+)\]\(([^)]+)\)|\\([^a-zA-Z0-9\s])`

// words takes a sentence apart.
func (m *manual) words(sentence string) []word {
	marks := regexp.MustCompile(inline)
	var all []word
	space := true
	add := func(text string, show func(string) string) {
		for i, part := range strings.Split(text, " ") {
			space = space || i > 0
			if part != "" {
				all = append(all, word{text: part, show: show(part), glue: !space})
				space = false
			}
		}
	}
	same := func(s string) string { return s }
	for sentence != "" {
		at := marks.FindStringSubmatchIndex(sentence)
		if at == nil {
			add(sentence, same)
			break
		}
		add(sentence[:at[0]], same)
		group := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return sentence[at[2*n]:at[2*n+1]]
		}
		switch {
		case group(1) != "":
			add(m.quoted(group(1)), m.paint.Yellow)
		case group(2) != "":
			for _, w := range m.words(group(2)) {
				all = append(all, word{text: w.text, show: m.paint.Bold(w.text), glue: w.glue || !space})
				space = true
			}
			space = false
		case group(3) != "":
			inside := m.words(group(3))
			for i, w := range inside {
				all = append(all, word{text: w.text, show: w.show, glue: w.glue || i == 0 && !space})
			}
			space = false
			add(leadsTo(group(4), plain(inside)), same)
		default:
			add(group(5), same)
		}
		sentence = sentence[at[1]:]
	}
	return all
}

// quoted keeps the quotes of code where no colour tells it from the sentence.
func (m *manual) quoted(code string) string {
	if m.paint {
		return code
	}
	return "`" + code + "`"
}

// leadsTo says behind the text of a link which page it leads to, unless the text says so, or it stays on the page.
func leadsTo(destination, text string) string {
	page, _, _ := strings.Cut(destination, "#")
	if page == "" || strings.Contains(text, "/") || strings.HasSuffix(page, text) || strings.TrimSuffix(page, ".md") == text {
		return ""
	}
	return " (" + page + ")"
}

func plain(words []word) string {
	var b strings.Builder
	for _, w := range words {
		if !w.glue && b.Len() > 0 {
			b.WriteString(" ")
		}
		b.WriteString(w.text)
	}
	return b.String()
}

func (m *manual) fold(words []word, first, rest string, width int) {
	lead := first
	for _, line := range fold(words, width-columns(rest)) {
		m.out.WriteString(strings.TrimRight(lead+line.show, " ") + "\n")
		lead = rest
	}
}

// A line that was filled, with the columns that it takes.
type filled struct {
	show  string
	width int
}

// fold fills lines of at most width columns; a word that is longer has one of its own.
func fold(words []word, width int) []filled {
	lines := []filled{{}}
	for i := 0; i < len(words); {
		next := filled{words[i].show, columns(words[i].text)}
		for i++; i < len(words) && words[i].glue; i++ {
			next.show += words[i].show
			next.width += columns(words[i].text)
		}
		line := &lines[len(lines)-1]
		switch {
		case line.width == 0:
			*line = next
		case line.width+1+next.width > width:
			lines = append(lines, next)
		default:
			line.show += " " + next.show
			line.width += 1 + next.width
		}
	}
	return lines
}

func columns(text string) int { return len([]rune(text)) }

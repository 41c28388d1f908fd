package printer

import (
	"fmt"
	"html"
	"io"
	"strings"
	"text/tabwriter"
)

// tables writes a title, lines, items and tables: for a terminal, as Markdown, or as one HTML page
// that needs nothing else.
type tables struct {
	out       *strings.Builder
	format    Format
	noHeaders bool
	// titled: the document has its title, and in HTML its head.
	titled bool
	// tw is the table that is being written to a terminal, open what is in HTML: table or ul.
	tw   *tabwriter.Writer
	open string
}

func newTables(p Printer) *tables {
	return &tables{out: &strings.Builder{}, format: p.Format, noHeaders: p.NoHeaders}
}

// writeTo ends the document.
func (t *tables) writeTo(w io.Writer) error {
	t.end()
	if t.format == HTML {
		t.out.WriteString("</body></html>\n")
	}
	_, err := io.WriteString(w, t.out.String())
	return err
}

// look is how the page looks; no script, nothing from elsewhere.
const look = "body{font:15px/1.45 system-ui,sans-serif;margin:2rem;color:#222;background:#fff}table{border-collapse:collapse;margin:1rem 0}" +
	"th,td{border:1px solid #bbb;padding:.3rem .6rem;text-align:left;vertical-align:top}th{background:#f0f0f0}"

func (t *tables) title(format string, a ...any) {
	t.end()
	text := t.plain(format, a...)
	switch t.format {
	case Markdown:
		fmt.Fprintf(t.out, "# %s\n\n", text)
	case HTML:
		// A document of two parts is one page.
		if !t.titled {
			fmt.Fprintf(t.out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>%s</title><style>%s</style></head><body>\n", html.EscapeString(text), look)
		}
		fmt.Fprintf(t.out, "<h1>%s</h1>\n", html.EscapeString(text))
	default:
		fmt.Fprintln(t.out, text)
	}
	t.titled = true
}

// plain is a text on one line that is nothing but text, whatever others have put into it.
func (t *tables) plain(format string, a ...any) string {
	text := strings.NewReplacer("\n", " ", "\t", " ").Replace(fmt.Sprintf(format, a...))
	if t.format == Markdown {
		text = strings.NewReplacer("<", "&lt;", "](", `]\(`, "`", "\\`").Replace(text)
	}
	return text
}

func (t *tables) line(format string, a ...any) {
	t.end()
	text := t.plain(format, a...)
	switch t.format {
	case Markdown:
		fmt.Fprintf(t.out, "%s\n\n", text)
	case HTML:
		fmt.Fprintf(t.out, "<p>%s</p>\n", html.EscapeString(text))
	default:
		fmt.Fprintln(t.out, text)
	}
}

func (t *tables) item(format string, a ...any) {
	text := t.plain(format, a...)
	if t.format != HTML {
		t.end()
		fmt.Fprintf(t.out, "- %s\n", text)
		return
	}
	if t.open != "ul" {
		t.end()
		t.begin("ul")
	}
	fmt.Fprintf(t.out, "<li>%s</li>\n", html.EscapeString(text))
}

// begin opens an element of HTML that end closes.
func (t *tables) begin(element string) {
	t.open = element
	fmt.Fprintf(t.out, "<%s>\n", element)
}

// table begins one; rows follow.
func (t *tables) table(heads ...string) {
	t.end()
	switch t.format {
	case Markdown:
		fmt.Fprintf(t.out, "\n| %s |\n|%s\n", strings.Join(heads, " | "), strings.Repeat("---|", len(heads)))
	case HTML:
		t.begin("table")
		t.cells("th", heads)
	default:
		t.tw = tabwriter.NewWriter(t.out, 0, 4, 3, ' ', 0)
		if !t.noHeaders {
			t.out.WriteString("\n")
			fmt.Fprintln(t.tw, strings.Join(heads, "\t"))
		}
	}
}

func (t *tables) cells(element string, texts []string) {
	t.out.WriteString("<tr>")
	for _, text := range texts {
		fmt.Fprintf(t.out, "<%s>%s</%s>", element, html.EscapeString(text), element)
	}
	t.out.WriteString("</tr>\n")
}

func (t *tables) row(cells ...any) {
	words := make([]string, len(cells))
	for i, c := range cells {
		words[i] = t.plain("%v", c)
	}
	switch t.format {
	case Markdown:
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "|", `\|`)
		}
		fmt.Fprintf(t.out, "| %s |\n", strings.Join(words, " | "))
	case HTML:
		t.cells("td", words)
	default:
		fmt.Fprintln(t.tw, strings.Join(words, "\t"))
	}
}

// end ends the table or the list that is being written.
func (t *tables) end() {
	if t.tw != nil {
		_ = t.tw.Flush() // it writes to memory
		t.tw = nil
	}
	if t.open != "" {
		fmt.Fprintf(t.out, "</%s>\n", t.open)
		t.open = ""
	}
}

package ensemble

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/manager"

// Managers are the programs that write the files of this configuration, as far as these tell.
func (c *Config) Managers() (out []manager.Sign) {
	for _, p := range c.files() {
		get := func(key string) (string, int) {
			value, _ := p.Get(key)
			return javaTrim(value), p.Line(key)
		}
		for _, s := range manager.InFile(p.Name(), p.data, get) {
			s.Text = HideSecretKeys(printable([]byte(s.Text)))
			out = append(out, s)
		}
	}
	return out
}

// managers finds the programs that would undo a patch of these files; Exhibitor has a rule of its
// own, and its heads look like another's.
func (l *linter) managers() {
	exhibitor := commentLine(l.c.Props.data, "exhibitor") > 0
	for _, s := range l.c.Managers() {
		if m, _ := manager.Find(s.Code); !exhibitor || s.Code != manager.Unnamed {
			l.out = append(l.out, Finding{
				Code: s.Code, Severity: SeverityWarning, File: s.File, Line: s.Line, Text: s.Text,
				Problem: m.Name + " writes this file", Hint: m.HoldLine(),
			})
		}
	}
}

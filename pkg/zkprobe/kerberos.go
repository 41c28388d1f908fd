package zkprobe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// ticket is good for one server, and apReq for one authentication.
type ticket struct {
	server string
	apReq  []byte
	key    types.EncryptionKey
}

// ticket asks the KDC for what the server at addr wants to see.
func (s *SASL) ticket(ctx context.Context, addr string) (ticket, error) {
	host := hostOf(addr)
	if s.ServerHost != nil {
		host = s.ServerHost(addr)
	}
	if host == "" {
		return ticket{}, s.failed("", "the host in the principal of the server at %s is not known: give it as that server's keytab has it (klist -k KEYTAB)", addr)
	}
	service := s.Service
	if service == "" {
		service = "zookeeper"
	}
	server := service + "/" + host
	type result struct {
		ticket
		err error
	}
	// The library knows no context: it gives up by itself, 5 s after each KDC's last word.
	got := make(chan result, 1)
	go func() {
		var r result
		r.err = guarded("the KDC's answer", func() (err error) {
			r.ticket, err = s.fetch(server)
			return err
		})
		got <- r
	}()
	select {
	case <-ctx.Done():
		return ticket{}, ctx.Err()
	case r := <-got:
		if r.err != nil {
			return ticket{}, s.failed(server, "%s", s.explain(server, r.err))
		}
		return r.ticket, nil
	}
}

func (s *SASL) failed(server, format string, a ...any) error {
	return &SASLError{Mechanism: GSSAPI, Client: s.Principal, Server: server, Reason: fmt.Sprintf(format, a...)}
}

// guarded turns a panic into an error: gokrb5 8.4.4 reads encryption types of a KDC, entries of a
// keytab and blocks of a krb5.conf without a look whether they are there.
func guarded(what string, read func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New(what + " makes no sense")
		}
	}()
	return read()
}

// fetch logs in and asks for a ticket. Both are done for every session: nothing is kept
// that could expire in the middle of a migration.
func (s *SASL) fetch(server string) (ticket, error) {
	krb, err := s.kerberos()
	if err != nil {
		return ticket{}, err
	}
	defer krb.Destroy()
	if err := krb.Login(); err != nil {
		return ticket{}, err
	}
	granted, key, err := krb.GetServiceTicket(server)
	if err != nil {
		return ticket{}, err
	}
	token, err := spnego.NewKRB5TokenAPREQ(krb, granted, key, []int{gssapi.ContextFlagInteg}, nil)
	if err != nil {
		return ticket{}, err
	}
	apReq, err := token.Marshal()
	return ticket{server: server, apReq: apReq, key: key}, err
}

// kerberos reads what was given; it asks nobody.
func (s *SASL) kerberos() (*client.Client, error) {
	var conf *config.Config
	err := guarded("a block", func() (err error) {
		conf, err = config.NewFromString(s.Krb5Conf)
		return err
	})
	var ignored config.UnsupportedDirective // and the rest was read
	if err != nil && !errors.As(err, &ignored) {
		return nil, &givenError{"krb5.conf cannot be read: " + err.Error()}
	}
	// TCP first, UDP second: a KDC's UDP port that drops costs 5 s. (1 would be TCP alone.)
	conf.LibDefaults.UDPPreferenceLimit = 2
	name, realm, ok := strings.Cut(s.Principal, "@")
	if !ok {
		realm = conf.LibDefaults.DefaultRealm
	}
	switch {
	case name == "":
		return nil, &givenError{"no principal given"}
	case realm == "":
		return nil, &givenError{fmt.Sprintf("the principal %s has no realm, and krb5.conf no default_realm", s.Principal)}
	case len(s.Keytab) == 0 && s.Password == "":
		return nil, &givenError{fmt.Sprintf("neither keytab nor password of %s@%s given", name, realm)}
	case len(s.Keytab) == 0:
		return client.NewWithPassword(name, realm, s.Password, conf), nil
	}
	keys := keytab.New()
	if guarded("the keytab", func() error { return keys.Unmarshal(s.Keytab) }) != nil {
		return nil, &givenError{"the keytab is not one, or is cut off"} // the error has its keys in it
	}
	var has []string
	for _, e := range keys.Entries {
		has = append(has, e.Principal.String())
	}
	if !slices.Contains(has, name+"@"+realm) {
		slices.Sort(has)
		return nil, &givenError{fmt.Sprintf("the keytab has no key of %s@%s; it has those of: %s", name, realm, strings.Join(slices.Compact(has), ", "))}
	}
	return client.NewWithKeytab(name, realm, keys, conf), nil
}

// givenError is about what the caller gave.
type givenError struct{ text string }

func (e *givenError) Error() string { return quote.Line(e.text) }

// explain says what a failure to get a ticket means. The library tells failures apart by text alone.
func (s *SASL) explain(server string, err error) string {
	var given *givenError
	if errors.As(err, &given) {
		return given.Error()
	}
	text := err.Error()
	for _, known := range []struct {
		signs []string
		says  string
	}{
		{[]string{errorcode.Lookup(errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN)},
			"the KDC does not know " + s.Principal + ": check its name and realm"},
		{[]string{errorcode.Lookup(errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN)},
			"the KDC does not know " + server + ": it must be the principal in this server's own keytab (klist -k KEYTAB), which has the name of its host; a Service's address is in none"},
		// Before the wrong key, for the library calls a reply of another time that as well.
		{[]string{errorcode.Lookup(errorcode.KRB_AP_ERR_SKEW), "clock skew"},
			"the clocks of this machine and the KDC are too far apart: synchronize them (5 minutes are allowed, unless clockskew in krb5.conf says otherwise)"},
		{[]string{errorcode.Lookup(errorcode.KDC_ERR_PREAUTH_FAILED), "client password/keytab incorrect", "matching key not found in keytab"},
			"the KDC rejected the key of " + s.Principal + ": the password is wrong, or the keytab is older than the last change of the key (compare klist -kte KEYTAB with kvno " + s.Principal + ")"},
		{[]string{errorcode.Lookup(errorcode.KDC_ERR_CLIENT_REVOKED), errorcode.Lookup(errorcode.KDC_ERR_NAME_EXP), errorcode.Lookup(errorcode.KDC_ERR_KEY_EXPIRED)},
			s.Principal + " is locked or expired in the KDC"},
		{[]string{errorcode.Lookup(errorcode.KDC_ERR_ETYPE_NOSUPP)},
			"the KDC shares no encryption type with this client: create AES keys for " + s.Principal + " and " + server},
		{[]string{"no KDCs defined", "does not have any defined KDCs"},
			"krb5.conf names no kdc for the realm"},
		{[]string{"Networking_Error"},
			"no KDC of krb5.conf answers this machine, which asks it directly"},
	} {
		if slices.ContainsFunc(known.signs, func(sign string) bool { return strings.Contains(text, sign) }) {
			return known.says
		}
	}
	if _, said, ok := strings.Cut(text, "KRB Error: "); ok {
		return "the KDC gives no ticket: " + quote.Line(said)
	}
	return "no ticket: " + quote.Line(text)
}

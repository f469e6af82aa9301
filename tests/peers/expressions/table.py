"""The expressions, by the place where Packer evaluates them. `entries` gives (kind, place, text); kinds: plain, clock (results that
depend on the time), form (results that differ each time)."""

ENVIRONMENT = {"CARGO_PKG_NAME": "kiste-templates"}

VARIABLES = {
    "name": "Deb 12",
    "empty": "",
    "list": "a,b,c",
    "nested": "<{{user `name`}}>",
    "fields": "{{ .Command }} {{.Nope}}",
    "code": "{{`{{upper \"x\"}}`}}",
}

# Rendered until stable, without data, without a build.
CONSOLE = r"""
plain
{{user `name`}}
{{ user "name" | lower }}
{{user `undefined`}}|
{{user `nested`}}
{{user `code`}}
{{user}}
{{user 1}}
{{user `a` `b`}}
{{user nil}}
{{user .Foo}}
{{usr `x`}}
{{env `CARGO_PKG_NAME`}}
{{build_name}}
{{build_type}}
{{packer_version}}
{{build `ID`}}
{{template_dir}}
{{lower "ABC ÄÖ"}} {{upper "abc äöß"}}
{{split "a,b,c" "," 1}}
{{split "a,b" "," 2}}
{{split "a,b" "," -1}}
{{split "abc" "" 1}}
{{split "" "," 0}}|
{{split "a,b" "," 1.0}}
{{split "a,b" "," 1.5}}
{{split "a,b" "," "1"}}
{{split "a,b" "," 'a'}}
{{user `list` | split "x" }}
{{replace "a" "b" 1 "aaa"}} {{replace "a" "b" -1 "aaa"}} {{replace "a" "b" 0 "aaa"}}
{{replace_all "a" "bb" "aca"}}
{{replace_all "" "-" "abc"}}
{{replace "" "-" 2 "abc"}}
{{"aXb" | replace_all "X" "-"}}
{{clean_resource_name "x"}}
{{sed "s/a/b/" "x"}}
{{sed}}
{{consul_key "x"}}
{{vault "a" "b"}}
{{aws_secretsmanager "x"}}
{{isotime 1}}
{{isotime "2006" "01"}}
{{strftime}}
{{if true}}a{{end}}
{{if false}}a{{else}}b{{end}}
{{if eq (user `name`) "Deb 12"}}yes{{else}}no{{end}}
{{if user `empty`}}a{{else if user `name`}}b{{else}}c{{end}}
{{if .Foo}}a{{else}}b{{end}}
{{if not true}}a{{end}}|
{{if}}a{{end}}
{{if true}}a
{{if true}}a{{else}}b{{else}}c{{end}}
{{end}}
{{else}}
{{if true}}{{if true}}x{{end}}{{end}}
{{if nil}}x{{end}}
{{if 0}}a{{else}}b{{end}}{{if 0.0}}a{{else}}b{{end}}{{if "0"}}a{{else}}b{{end}}{{if 'a'}}a{{end}}
{{with "x"}}<{{.}}>{{end}}
{{with ""}}a{{else}}b{{end}}
{{with $x := "y"}}{{$x}}{{.}}{{end}}
{{with "x"}}{{$}}{{end}}
{{with "a"}}{{with "b"}}{{.}}{{end}}{{.}}{{end}}
{{with 1}}{{.X}}{{end}}
{{with "a"}}{{.X.Y}}{{end}}
{{range .Foo}}a{{else}}none{{end}}
{{range "ab"}}x{{end}}
{{range 3}}x{{end}}
{{range $x := "a"}}x{{end}}
{{range $i, $x := .Foo}}x{{else}}-{{end}}
{{range $i, $x, $y := .Foo}}x{{end}}
{{range $i, 1 := .Foo}}x{{end}}
{{range nil}}x{{end}}
{{break}}
{{continue}}
{{range .Foo}}{{break}}{{end}}|
{{range .Foo}}{{break 1}}{{end}}
{{if true}}{{break}}{{end}}
{{$x := 1}}{{$x}}
{{$x := "a" | upper}}{{$x}}
{{$x := 1}}{{$x = 2}}{{$x}}
{{$x := 1}}{{if true}}{{$x = "s"}}{{end}}{{$x}}
{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}
{{if $x := true}}{{$x}}{{end}}{{$x}}
{{$x}}
{{$x = 1}}
{{$x = 1}}{{$x}}
{{$x}}{{$x := 1}}
{{$x, $y := 1}}
{{$x=1}}
{{$x :=1}}{{$x}}
{{$x := 1 $y}}
{{($x := 5)}}{{$x}}
{{$}}
{{$.Foo}}
{{.}}
{{.Foo}}
{{.Foo.Bar}}
{{ .Foo | printf "%v" }}
{{.Foo 1}}
{{1 | .Foo}}
{{upper .Foo}}
{{print .Foo}} {{printf "%s" .Foo}} {{html .Foo}} {{js .Foo}} {{urlquery .Foo}}
{{len .Foo}}
{{and true 1}} {{and 0 true}} {{or false "x"}} {{or 0 ""}}| {{and 1 2 3}} {{or 0 nil 3}}
{{and}}
{{or true (sed "a" "b")}}
{{and true (sed "a" "b")}}
{{or (user `empty`) "default"}}
{{1 | and 0}} {{1 | or 0}} {{0 | and 1}}
{{not 1}} {{not ""}} {{not .Foo}}
{{not}}
{{not 1 2}}
{{eq 1 1}} {{eq 1 2 1}} {{eq "a" "b"}} {{eq 1.5 1.5}} {{eq true true}}
{{eq .Foo nil}} {{eq .Foo 1}} {{eq 1 .Foo}}
{{eq 1 "1"}}
{{eq 1 1.0}}
{{eq 1}}
{{eq}}
{{eq nil nil}}
{{eq "a" "b" 1}}
{{eq 1i 1i}}
{{ne 1 2}} {{ne "a" "a"}}
{{ne 1}}
{{ne 1 2 3}}
{{lt 1 2}} {{lt 2 1}} {{lt "a" "b"}} {{lt 1.5 2.5}}
{{lt 1 "a"}}
{{lt true false}}
{{lt 1i 2i}}
{{lt .Foo 1}}
{{le 1 1}} {{gt 2 1}} {{ge 1 2}} {{ge "b" "a"}} {{le 2.5 1.5}}
{{gt 1 1.0}}
{{eq (index "a" 0) 97}} {{lt (index "a" 0) 98}} {{lt 98 (index "a" 0)}}
{{len "abc"}} {{len "ä"}} {{len ""}}
{{len 1}}
{{len nil}}
{{len true}}
{{len}}
{{index "abc" 1}}
{{index "abc" 3}}
{{index "abc" 4}}
{{index "abc" -1}}
{{index "abc" "a"}}
{{index "abc" nil}}
{{index "abc" 1 1}}
{{index 1 1}}
{{index "abc"}}
{{index .Foo 1}}
{{slice "abcdef" 1 3}} {{slice "abc"}} {{slice "abc" 1}} {{slice "abc" 3}}|
{{slice "abc" 2 1}}
{{slice "abc" 4}}
{{slice "abc" 1 2 3}}
{{slice "abc" 1 2 3 4}}
{{slice 5 1}}
{{slice .Foo 1}}
{{call 1}}
{{call nil}}
{{call "x" 1}}
{{print}}| {{print 1 2}} {{print "a" "b"}} {{print 1 "a" 2}} {{print true false 1.5 nil}}
{{println "a" 1}}|
{{printf "%s %d %v %q %x %5d|%-5s|%t%%" "a" 1 "v" "q" 255 42 "l" true}}
{{printf "%v %v %v %v" 1 1.5 true "s"}}
{{printf "%d" "a"}} {{printf "%s" 1}} {{printf "%t" 1}} {{printf "%x" "hi"}} {{printf "%X" "hi"}} {{printf "% x" "hi"}}
{{printf "%d"}} {{printf "%d" 1 2}} {{printf "x" 1 "a"}} {{printf "%!"}} {{printf "%"}} {{printf "%z" 1}} {{printf "%w" 1}}
{{printf "%05d|%+d|% d|%-5d|%5.2d|%x|%X|%#x|%o|%#o|%O|%b|%c|%q|%U|%#U" 42 42 42 42 4 255 255 255 8 8 8 5 65 65 65 65}}
{{printf "%f|%.2f|%8.3f|%-8.1f|%e|%E|%g|%G|%+f|%08.2f" 1.5 1.555 3.14159 2.25 12345.678 0.00012 1e10 1e-10 1.0 -2.5}}
{{printf "%6.3v|%v|%v|%v|%v" 1.5 1e6 1e5 1e-5 123456789.0}}
{{printf "%5s|%-5s|%.2s|%5.1s|%05s|%q|%#q|%+q|%x" "ab" "ab" "abc" "abc" "ab" "a\"b" "ab" "ä" "ab"}}
{{printf "%*d|%-*d|%.*f" 5 42 5 42 2 1.555}}
{{printf "%[2]d %[1]d" 1 2}} {{printf "%[3]d" 1}} {{printf "%[1]d %d" 1 2}} {{printf "%[x]d" 1}} {{printf "%[1]*d" 5}}
{{printf "%T %T %T %T %T %T" 1 "a" 1.5 true nil 1i}}
{{printf "%v %d %s" nil nil nil}}
{{printf "%v %v" 1i 1+2i}}
{{printf "%v" (index "a" 0)}} {{printf "%T" (index "a" 0)}} {{printf "%c" (index "a" 0)}} {{printf "%#v" (index "a" 0)}}
{{printf "%#v %#v %#v" 1 "a" true}} {{printf "%+v" 1}}
{{printf "%s"}} {{printf 1}}
{{printf}}
{{len (printf "%10000001d" 1)}}
{{printf "%100000001d" 1}}
{{1_0.5}}
{{1_}}
{{0_1}}
{{"a%b" | printf "%s!"}} {{2 | printf "%d %d" 1}}
{{html "<a href='x'>\"&"}} {{js "a'b\"<>&=\n\\é"}} {{urlquery "a b&c/ä~-_."}} {{html 1 2 "a"}} {{urlquery 1 "x"}}
{{1}} {{-1}} {{+1}} {{1.5}} {{.5}} {{1.}} {{1e3}} {{1E-3}} {{0x1F}} {{0b101}} {{0o17}} {{017}} {{1_000}} {{0x_ff}} {{'a'}} {{'\n'}} {{'\x41'}} {{'ä'}} {{'\''}}
{{08}}
{{1__0}}
{{0x}}
{{1e}}
{{9223372036854775807}} {{-9223372036854775808}}
{{9223372036854775808}}
{{18446744073709551616}}
{{1e400}}
{{1i}} {{1.5i}} {{0i}} {{1+2i}} {{1-2i}}
{{1+2}}
{{1a}}
{{''}}
{{'ab'}}
{{'a}}
{{true}} {{false}}
{{nil}}
{{nil | print}}
{{"a\tb\\ \"x\" \u00e4 \x41 \101"}} {{`a\tb`}}
{{"a\z"}}
{{"\400"}}
{{"unterminated}}
{{`unterminated}}
{{"a" "b"}}
{{"a" | "b"}}
{{1 | 2}}
{{"a" | upper | lower | printf "%s!"}}
{{"a" | upper "b"}}
{{| upper}}
{{"a" |}}
{{"a" | | upper}}
{{(1)}} {{((2))}} {{(upper "a")}} {{print (1) (2)}}
{{(1}}
{{1)}}
{{)}}
{{()}}
{{(print "a").X}}
{{(1).X}}
{{(upper "a") 1}}
{{"a".X}}
{{1.X}}
{{nil.X}}
{{true.X}}
{{upper.X "a"}}
{{print "a"(print "b")}}
{{print"a"}}
{{printf"%d"1}}
{{print 1,2}}
{{print a}}
{{print .5}}
{{upper}}
{{upper 1}}
{{upper true}}
{{upper 'a'}}
{{upper (1)}}
{{upper (len "a")}}
{{upper nil}}
{{upper "a" "b"}}
{{upper lower}}
{{upper (lower "A")}}
{{timestamp 1}}
{{}}
{{ }}
{{
}}
{
{{{
{{{1}}}
a {{- 1 -}} b
a {{-1}} b
a {{- -1 -}} b
a {{1 -}} b {{- 2}} c
a{{/* comment */}}b
a {{- /* c */ -}} b
a{{/* open }}
a{{/* c */ }}b
a{{ /* c */}}b
{{"}}"}} {{"{{"}}
{{`{{1}}`}}
{{define "t"}}[{{.}}]{{end}}{{template "t" 1}}{{template "t"}}
{{define "t"}}a{{end}}{{define "t"}}b{{end}}
{{define "t"}}{{end}}{{define "t"}}b{{end}}{{template "t"}}
{{define "t"}}x{{end}}
{{define "t"}}x
{{define t}}x{{end}}
{{define "t" 1}}x{{end}}
{{define `t`}}{{$x}}{{end}}
{{$x := 1}}{{define "t"}}{{$x}}{{end}}
{{if true}}{{define "t"}}x{{end}}{{end}}
{{template "missing"}}
{{template "root"}}
{{template}}
{{template 1}}
{{template "t" }}
{{define "t"}}{{sed "a" "b"}}{{end}}a {{template "t" 1}}
{{block "b" 1}}<{{.}}>{{end}}
{{block "b"}}x{{end}}
{{block "b" 1}}x
{{block "b" 1}}x{{end}}{{template "b" 2}}
{{define "b"}}1{{end}}{{block "b" 2}}x{{end}}
{{user `name` }}}
{{user`name`}}
{{ user`name`|upper }}
{{user`name`}}}}
{{user$}}
{{@}}
{{a@b}}
{{#if}}
{{!}}
{{ä}}
{{_x}}
{{x-y}}
{{"a" = 1}}
{{: 1}}
{{$x : 1}}
{{1 := 2}}
{{,}}
{{?}}
{{"a"}}{{
{{with}}x{{end}}
{{with "a"}}x{{else if true}}y{{end}}
{{if true}}x{{else if}}y{{end}}
{{if true}}x{{end 1}}
{{if true}}x{{else 1}}y{{end}}
{{"😀" | len}} {{printf "%q %+q %x" "😀" "😀" "😀"}} {{js "😀"}} {{upper "ﬁ"}}
{{printf "%q" "\u200b\u00a0\x7f\x00"}}
{{printf "%s|%10s|%-10s|" "äö" "äö" "äö"}}
{{eq (user `name`) (user `name`) }}
{{print (eq 1 1) (ne 1 1)}}
{{ "quoted" | printf "%q" }}
{{if and (eq 1 1) (not false)}}both{{end}}
{{if or (eq 1 2) (eq "a" "a" )}}one{{end}}
"""

# Every time the process' own start.
CLOCK = r"""
{{isotime}}
{{isotime "2006-01-02 15:04:05 MST"}}
{{isotime "20060102150405"}}
{{isotime "060102-150405"}}
{{isotime "Mon Jan _2 3:04PM 2006"}}
{{isotime "Monday January 2 03:04pm 06"}}
{{isotime "Z07:00 Z0700 Z07 Z070000 Z07:00:00 -07:00 -0700 -07 -070000 -07:00:00"}}
{{isotime "002 __2 _2006 1 2 3 4 5 15"}}
{{isotime "Janus Monster MSTx JanFeb Marc"}}
{{isotime "2006-01-02T15:04:05"}}
{{isotime "200601021504"}}|{{isotime "02/01/06"}}
{{isotime "%Y"}}|{{isotime ""}}|{{isotime "plain ä"}}
{{isotime "01.02.2006 15h04 .x 00 007 0 9"}}
{{isotime "Jan 2, 2006 at 3:04pm (MST)"}}
{{strftime "%Y-%m-%d %H:%M:%S"}}
{{strftime "%B %b %A %a %y %I %p %Z %z %%"}}
{{strftime "%j %e %D %F %T %s %q %"}}
{{strftime "%Y%m%d"}} {{strftime ""}}| {{strftime "x%"}}
{{timestamp}}
"""

FORMS = r"""
{{uuid}}
{{isotime "5.000 5,000000 .000000000"}}
"""

# A builder's option: rendered once, at prepare; a build is known.
OPTION = [
    "plain",
    "{{user `name`}} {{user `undefined`}}|",
    "{{user `nested`}} {{user `code`}}",
    "{{user `fields`}}",
    "{{build_name}} {{build_type}}",
    "{{env `HOME`}}",
    "{{vault `a` `b`}}",
    "{{consul_key `a`}}",
    "{{aws_secretsmanager `a`}}",
    "{{aws_secretsmanager `a` `b` `c`}}",
    "{{nope}}",
    "{{upper}}",
    "{{if eq build_type `file`}}f{{else}}g{{end}}",
    "{{`{{1}}`}}",
    "{{`{{.Name}}`}}",
    "line 1\nline 2 {{nope}}",
    "line 1\nline 2 {{upper 1}}",
    "line 1\n{{/* a\ncomment */}}x\n{{- 1 -}}\n\n y",
    "{{if true}}\n{{nope",
    "a\n{{if\ntrue}}b{{end}}",
    "a\n{{print 1\n2}}",
    "{{\"a\nb\"}}",
    "{{`a\nb`}}",
    "a\r\n{{- `x` -}}\r\n b",
    "{{`a\r\nb`}}",
    "{{if true}}\n a\n{{else}}\n b\n{{end}}\n",
    "{{define `x`}}\n{{sed `a` `b`}}\n{{end}}\n\n{{template `x`}}",
    "{{/* a\n open",
    "{{print `a`\n | upper\n | lower}}",
    "\n\n{{print (print (print (upper 1)))}}",
    "{{clean_resource_name `x`}}",
    "{{template_dir}}/x",
    "{{ if true }}a{{ end }}\t{{\tupper\t`x`\t}}",
    "100% {{printf `%d%%` 5}} \\ \" ' <>& {{`<>&\"'`}}",
    "{{\"\\u00e4\\U0001F600\"}} ä 😀",
    "{{(print `a`) | upper}}",
    "{{" + "(" * 30 + "1" + ")" * 30 + "}}",
    "{{if true}}" * 30 + "x" + "{{end}}" * 30,
    "{{(" * 3,
    "{{if}}" * 200,
    "{{" * 50,
    "}}" * 50,
    "{{end}}" * 5,
    "{{define `t`}}{{template `t`}}",
]

# In `variables`: the environment is there, fields are kept for later.
VARIABLE = [
    "plain",
    "{{env `CARGO_PKG_NAME`}}",
    "{{env `KISTE_NOT_SET`}}|",
    "{{env}}",
    "{{env 1}}",
    "{{user `name`}}",
    "{{user `nested`}}",
    "{{user `undefined`}}",
    "{{user `v`}}",
    "{{ .Vars }} sudo {{ .Path }}",
    "{{.Vars}}{{upper `x`}}{{ .A | upper }}",
    "{{- .Vars }}|",
    "{{  .Vars }}|",
    "{{if .X}}a{{else}}b{{end}}",
    "{{printf `%v` .X}}",
    "{{build_name}}",
    "{{build_type}}",
    "{{packer_version}}",
    "{{build `ID`}}",
    "{{nope}}",
    "{{`{{upper \"x\"}}`}}",
    "{{`{{.Path}}`}}",
    "{{vault `a` `b`}}",
    "{{aws_secretsmanager}}",
    "{{aws_secretsmanager `a` `b` `c`}}",
    "{{sed `a` `b`}}",
    "{{template_dir}}",
    "{{ .A",
    "{{ .A }} {{",
    "{{or (env `KISTE_NOT_SET`) `default`}} {{or (env `CARGO_PKG_NAME`) `default`}}",
    "{{if env `CARGO_PKG_NAME`}}set{{end}}",
    "{{user `name`}} {{user `nested`}} {{env `CARGO_PKG_NAME` | upper}}",
]

# At run time: fields are a map, texts are rendered until they are stable.
RUNTIME = [
    "{{.Command}} {{ .Script }}",
    "{{.Vars}}",
    "{{.Nope}} {{.Nope.X}}",
    "{{.Command.X}}",
    "{{.Command 1}}",
    "{{1 | .Command}}",
    "{{$.Command}} {{$x := .}}{{$x.Command}}",
    "{{$x := .Command}}{{$x.Y}}",
    "{{index . `Command`}} {{index . `Nope`}}",
    "{{index . 1}}",
    "{{index . nil}}",
    "{{index . `Command` 0}}",
    "{{index . `Command` `x`}}",
    "{{range $k, $v := .}}{{if eq $k `Command`}}{{$k}}={{$v}}{{end}}{{end}}",
    "{{range $v := .}}{{if eq $v `/bin/true`}}{{$v}};{{end}}{{end}}",
    "{{range .}}{{if eq . `/bin/true`}}{{.}};{{end}}{{end}}",
    "{{range .}}x{{break}}{{end}}",
    "{{range .}}{{continue}}x{{end}}|",
    "{{range $k, $v := .}}{{if eq $k `Script`}}{{break}}{{end}}{{if eq $k `Command`}}c{{end}}{{end}}",
    "{{$n := 0}}{{range .}}{{$n = 1}}{{end}}{{$n}}",
    "{{range .}}{{$y := 1}}{{end}}{{$y}}",
    "{{with .Command}}{{.}}{{$.Script}}{{end}}",
    "{{if .Nope}}a{{else}}b{{end}}{{if .Command}}a{{end}}{{if .}}c{{end}}",
    "{{upper .Command}} {{.Command | upper}} {{.Nope | printf `%v`}}",
    "{{upper .Nope}}",
    "{{len .Command}}",
    "{{eq .Command `/bin/true`}} {{eq .Nope nil}}",
    "{{eq . 1}}",
    "{{eq . nil}}",
    "{{print .Nope .Nope}}",
    "{{eq 1 .}}",
    "{{lt . 1}}",
    "{{slice .Command 1 4}}",
    "{{slice . 1}}",
    "{{upper .}}",
    "{{and . 1}} {{not .}}",
    "{{template `x` .}}{{define `x`}}{{.Command}}{{end}}",
    "{{block `b` .Command}}<{{.}}>{{end}}",
    "{{user `name`}} {{user `code`}} {{user `fields`}}",
    "{{`{{.Command}}`}}",
    "{{`{{nope}}`}}",
    "{{build `Command`}}",
    "{{build `Nope`}}",
    "{{build_name}} {{build_type}}",
    "{{env `HOME`}}",
    "{{nope}}",
    "{{html .Command}} {{urlquery .Command}} {{printf `%q` .Command}}",
    "{{printf `%T %T` .Command .Nope}}",
    "{{range $i, $e = .}}x{{end}}",
    "{{$i := 0}}{{range $i = .}}{{end}}x",
    "{{call .Command}}",
    "chmod +x {{.Script}}; {{ .Vars }} {{.Script}}",
    "{{if eq build_type `null`}}{{.Command}}{{else}}sudo {{.Command}}{{end}}",
]


def entries():
    for text in CONSOLE.split("\n")[1:-1]:
        if text in ("{{", "}}"):
            continue
        yield "plain", "console", text
    for text in CLOCK.strip().split("\n"):
        yield "clock", "console", text
    for text in FORMS.strip().split("\n"):
        yield "form", "console", text
    for place, texts in (("option", OPTION), ("variable", VARIABLE), ("runtime", RUNTIME)):
        for text in texts:
            yield "plain", place, text


ATOMS = """1 -1 1.5 0 'a' true false nil "a" "ab" "" `x` . $ .Foo $x 1i 1e3 0x10 "%d" "%s" "%5v|" "%q" 2 3""".split()
FUNCTIONS = """upper lower len index slice print printf println and or not eq ne lt le gt ge html js urlquery user split replace
replace_all call nope build_name""".split()
NOISE = """{{ }} {{- -}} | ( ) := = , . $ $x if else end range with define template block "t" `t` break continue /* */ " ` ' \\ @ ä 5 x nil""".split()


def made_up(dice):
    """A text that is nearly right."""
    if dice.random() < 0.15:
        return "".join(dice.choice(NOISE) + dice.choice(["", " "]) for _ in range(dice.randint(1, 10))).strip()
    return "".join(part(dice, 2) for _ in range(dice.randint(1, 2))).strip()


def part(dice, depth):
    kind = dice.random()
    if depth == 0 or kind < 0.55:
        return "{{" + dice.choice(["", " ", "- "]) + pipe(dice, 2) + dice.choice(["", " ", " -"]) + "}}"
    if kind < 0.65:
        return dice.choice(["a", " b ", "c "])
    if kind < 0.72:
        return "{{$x " + dice.choice([":=", ":=", "="]) + " " + pipe(dice, 2) + "}}"
    if kind < 0.78:
        return dice.choice(['{{define "t"}}', '{{block "t" 1}}']) + part(dice, depth - 1) + '{{end}}{{template "t" ' + pipe(dice, 1) + "}}"
    word = dice.choice(["if", "if", "with", "range"])
    middle = dice.choice(["", "{{else}}" + part(dice, depth - 1), "{{else if " + pipe(dice, 1) + "}}" + part(dice, depth - 1)])
    return "{{" + word + " " + dice.choice(["", "", "$x := "]) + pipe(dice, 2) + "}}" + part(dice, depth - 1) + middle + dice.choice(["{{end}}"] * 9 + [""])


def pipe(dice, depth):
    return " | ".join(command(dice, depth) for _ in range(dice.choice([1, 1, 1, 2, 3])))


def command(dice, depth):
    if dice.random() < 0.3:
        return operand(dice, depth)
    return " ".join([dice.choice(FUNCTIONS)] + [operand(dice, depth) for _ in range(dice.choice([0, 1, 1, 2, 2, 3]))])


def operand(dice, depth):
    if depth > 0 and dice.random() < 0.25:
        return "(" + pipe(dice, depth - 1) + ")" + dice.choice(["", "", "", ".X"])
    return dice.choice(ATOMS)

notify { "hello from puppet": }
file { "/tmp/kiste-peer-puppet": ensure => absent }

# An SMS centre of Net::SMPP's (Debian: libnet-smpp-perl): takes every login with the password "right", and tells each text
# that it is handed on a line of its standard output. What becomes of a text hangs on the end of its number: 0058 is too
# fast, 0011 is no number, 0099 is taken and not delivered, any other is delivered.
#   smpp.pl PORT
use strict;
use warnings;
use Net::SMPP;

$| = 1;
my $listener = Net::SMPP->new_listen('127.0.0.1', port => $ARGV[0], smpp_version => 0x34) or die "cannot listen: $!";
my $count = 0;
while (my $line = $listener->accept) {
    while (my $pdu = $line->read_pdu) {
        my ($command, $number) = ($pdu->{cmd}, $pdu->{seq});
        if ($command == Net::SMPP::CMD_bind_transceiver) {
            my $status = $pdu->{password} eq 'right' ? 0 : 0x0E;
            $line->bind_transceiver_resp(seq => $number, status => $status, system_id => 'centre');
            print "bind $pdu->{system_id}\n";
        } elsif ($command == Net::SMPP::CMD_submit_sm) {
            my $to = $pdu->{destination_addr};
            my $status = $to =~ /0058$/ ? 0x58 : $to =~ /0011$/ ? 0x0B : 0;
            my $id = $status ? '' : sprintf 'c-%04d', ++$count;
            $line->submit_sm_resp(seq => $number, status => $status, message_id => $id);
            print join(' ', 'text', $to, $pdu->{source_addr}, $pdu->{source_addr_ton}, $pdu->{data_coding},
                $pdu->{registered_delivery}, $pdu->{validity_period}, unpack('H*', $pdu->{short_message})), "\n";
            next if $status;
            my $fate = $to =~ /0099$/ ? 'UNDELIV' : 'DELIVRD';
            $line->deliver_sm(async => 1, source_addr => $to, destination_addr => $pdu->{source_addr}, esm_class => 0x04,
                short_message => "id:$id sub:001 dlvrd:001 submit date:2612010000 done date:2612010001 stat:$fate err:027 text:x");
        } elsif ($command == Net::SMPP::CMD_deliver_sm_resp) {
            print "thanked\n";
        } elsif ($command == Net::SMPP::CMD_enquire_link) {
            $line->enquire_link_resp(seq => $number);
        } elsif ($command == Net::SMPP::CMD_unbind) {
            $line->unbind_resp(seq => $number);
            last;
        }
    }
}
